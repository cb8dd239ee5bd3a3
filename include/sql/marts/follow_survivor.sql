-- Every identifier of a merged person leads to the survivor (chains of merges included).
-- Grain: one identifier. Reads marts.person. Writes marts.person_identity. Parameters: none. A second run updates nothing.
WITH RECURSIVE chain AS (
    SELECT person_id AS loser_id, merged_into AS survivor_id, 1 AS depth FROM marts.person WHERE merged_into IS NOT NULL
    UNION ALL
    SELECT chain.loser_id, person.merged_into, chain.depth + 1
    FROM chain
    JOIN marts.person AS person ON person.person_id = chain.survivor_id
    WHERE person.merged_into IS NOT NULL AND chain.depth < 100
), survivor AS (
    SELECT DISTINCT ON (loser_id) loser_id, survivor_id FROM chain ORDER BY loser_id, depth DESC
)
UPDATE marts.person_identity AS identity
SET person_id = survivor.survivor_id
FROM survivor
WHERE identity.person_id = survivor.loser_id
