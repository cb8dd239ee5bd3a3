-- A CRM merge may give the survivor a new id: it then inherits the person of the contact it swallowed.
-- Grain: one surviving contact id without a person. Reads raw_hubspot.contacts, staging.contacts, marts.person_identity.
-- Writes marts.person_identity. Parameters: none. A second run inserts nothing.
INSERT INTO marts.person_identity (kind, value, person_id)
SELECT 'crm_id', survivor.crm_id, min(loser.person_id)
FROM staging.contacts AS survivor
JOIN raw_hubspot.contacts AS delivered USING (crm_id)
CROSS JOIN LATERAL unnest(delivered.merged_ids) AS merged (crm_id)
JOIN marts.person_identity AS loser ON loser.kind = 'crm_id' AND loser.value = merged.crm_id
WHERE delivered.merged_ids <> '{}'
GROUP BY survivor.crm_id
ON CONFLICT (kind, value) DO NOTHING
