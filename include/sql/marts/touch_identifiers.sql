-- What led to the people whom this night touched, and what contacts carried that they swallowed: it may lead elsewhere now.
-- Grain: one identifier. Reads pg_temp.touched (person_id), marts.person_identity, raw_hubspot.contacts. Writes pg_temp.touched
-- (email, user_id). Parameters: none.
WITH person AS (
    SELECT DISTINCT value AS person_id FROM touched WHERE kind = 'person_id'
)
INSERT INTO touched (kind, value)
SELECT link.kind, link.value
FROM person
JOIN marts.person_identity AS link USING (person_id)
WHERE link.kind IN ('email', 'user_id')
UNION
SELECT identifier.kind, identifier.value
FROM person
JOIN marts.person_identity AS identity USING (person_id)
CROSS JOIN LATERAL (
    SELECT site_user_id, email, merged_into FROM raw_hubspot.contacts WHERE contacts.crm_id = identity.value
    OFFSET 0  -- see take_changes.sql
) AS swallowed
CROSS JOIN LATERAL (
    VALUES ('user_id', btrim(swallowed.site_user_id)), ('email', staging.address_key(swallowed.email))
) AS identifier (kind, value)
WHERE identity.kind = 'crm_id' AND swallowed.merged_into IS NOT NULL AND identifier.value <> ''
