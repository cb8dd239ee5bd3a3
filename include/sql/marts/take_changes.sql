-- What changed since the last night: contacts noted by triggers (migration 0009), and the survivors of those that were swallowed.
-- A contact is looked at as long as the transaction that takes its note has not committed. Whoever wants everything looked at anew
-- notes every contact: INSERT INTO marts.contact_change SELECT crm_id FROM raw_hubspot.contacts.
-- Grain: one contact. Reads and writes marts.contact_change; reads raw_hubspot.contacts. Writes pg_temp.touched. Parameters: none.
-- A second run takes what came since.
WITH forgotten AS (
    DELETE FROM touched
), taken AS (
    DELETE FROM marts.contact_change RETURNING crm_id
), changed AS MATERIALIZED (
    SELECT DISTINCT crm_id FROM taken
)
INSERT INTO touched (kind, value)
SELECT 'crm_id', crm_id FROM changed
UNION
SELECT 'crm_id', contact.merged_into
FROM changed
CROSS JOIN LATERAL (
    SELECT merged_into FROM raw_hubspot.contacts WHERE contacts.crm_id = changed.crm_id
    OFFSET 0  -- one look by the key for each: how many were merged is what the planner's statistics know least
) AS contact
WHERE contact.merged_into IS NOT NULL
