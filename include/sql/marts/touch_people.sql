-- The people to whom the contacts that changed lead.
-- Grain: one person. Reads pg_temp.touched (crm_id), marts.person_identity. Writes pg_temp.touched (person_id). Parameters: none.
INSERT INTO touched (kind, value)
SELECT DISTINCT 'person_id', identity.person_id
FROM touched AS contact
JOIN marts.person_identity AS identity ON identity.kind = 'crm_id' AND identity.value = contact.value
WHERE contact.kind = 'crm_id'
