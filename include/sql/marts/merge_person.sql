-- Two contacts that the CRM merged are one person from now on; the loser points to the survivor.
-- Grain: one losing person. Reads raw_hubspot.contacts, marts.person_identity. Writes marts.person.
-- Parameters: none. A second run updates nothing.
UPDATE marts.person AS loser
SET merged_into = survivor.person_id, crm_id = NULL
FROM raw_hubspot.contacts AS delivered
CROSS JOIN LATERAL unnest(delivered.merged_ids) AS merged (crm_id)
JOIN marts.person_identity AS survivor ON survivor.kind = 'crm_id'
JOIN marts.person_identity AS losing ON losing.kind = 'crm_id'
WHERE delivered.merged_ids <> '{}'
  AND survivor.value = delivered.crm_id
  AND losing.value = merged.crm_id
  AND losing.person_id <> survivor.person_id
  AND loser.person_id = losing.person_id
  AND loser.merged_into IS DISTINCT FROM survivor.person_id
