-- Every identifier of a merged person leads to the last survivor (marts/flatten_merges.sql runs first).
-- Grain: one identifier. Reads marts.person. Writes marts.person_identity. Parameters: none. A second run updates nothing.
UPDATE marts.person_identity AS identity
SET person_id = loser.merged_into
FROM marts.person AS loser
WHERE loser.merged_into IS NOT NULL AND identity.person_id = loser.person_id
