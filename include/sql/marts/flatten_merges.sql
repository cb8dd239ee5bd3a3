-- A merged into B, B merged into C: both point to C, so that one step leads from any of them to the last survivor.
-- Grain: one losing person of a chain of which this night touched a link. Reads pg_temp.touched (person_id), marts.person.
-- Writes marts.person, pg_temp.touched (person_id). Parameters: none. A second run updates nothing.
WITH RECURSIVE chain AS (
    SELECT loser.person_id AS loser_id, middle.merged_into AS survivor_id, 1 AS depth
    FROM (SELECT DISTINCT value AS person_id FROM touched WHERE kind = 'person_id') AS touched_person
    JOIN marts.person AS middle USING (person_id)
    JOIN marts.person AS loser ON loser.merged_into = middle.person_id
    WHERE middle.merged_into IS NOT NULL
    UNION ALL
    SELECT chain.loser_id, next.merged_into, chain.depth + 1
    FROM chain
    JOIN marts.person AS next ON next.person_id = chain.survivor_id
    WHERE next.merged_into IS NOT NULL AND chain.depth < 100  -- a merge in a circle would never end
), last_survivor AS (
    SELECT DISTINCT ON (loser_id) loser_id, survivor_id FROM chain ORDER BY loser_id, depth DESC
), flattened AS (
    UPDATE marts.person AS loser
    SET merged_into = last_survivor.survivor_id
    FROM last_survivor
    WHERE loser.person_id = last_survivor.loser_id AND last_survivor.survivor_id <> loser.person_id
    RETURNING loser.person_id, loser.merged_into
)
INSERT INTO touched (kind, value)
SELECT 'person_id', person_id FROM flattened
UNION
SELECT 'person_id', merged_into FROM flattened
