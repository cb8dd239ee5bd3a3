-- Every identifier of a merged person leads to the last survivor (marts/flatten_merges.sql runs first).
-- Grain: one identifier. Reads pg_temp.touched (person_id), marts.person. Writes marts.person_identity.
-- Parameters: none. A second run updates nothing.
WITH loser AS MATERIALIZED (
    SELECT person.person_id, person.merged_into
    FROM (SELECT DISTINCT value AS person_id FROM touched WHERE kind = 'person_id') AS touched_person
    JOIN marts.person AS person USING (person_id)
    WHERE person.merged_into IS NOT NULL
)
UPDATE marts.person_identity AS identity
SET person_id = loser.merged_into
FROM loser
WHERE identity.person_id = loser.person_id
