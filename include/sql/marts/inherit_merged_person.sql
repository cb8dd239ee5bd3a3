-- A CRM merge may give the survivor a new id: it then inherits a person of the contacts that it swallowed, if that person has no living
-- contact any more: of the one whose address it kept (HubSpot keeps the primary contact's), else of the oldest one.
-- Grain: one surviving contact id without a person. Reads pg_temp.touched (crm_id), raw_hubspot.contacts, staging.contacts,
-- marts.person_identity, marts.contact_split. Writes marts.person_identity, ops.identity_event.
-- Parameters: none. A second run inserts nothing.
WITH heir AS (
    SELECT DISTINCT ON (survivor.crm_id) survivor.crm_id, loser.person_id, merged.crm_id AS swallowed_id
    FROM (SELECT DISTINCT value AS crm_id FROM touched WHERE kind = 'crm_id') AS touched_contact
    JOIN staging.contacts AS survivor USING (crm_id)
    CROSS JOIN LATERAL (
        SELECT merged_ids FROM raw_hubspot.contacts WHERE contacts.crm_id = survivor.crm_id
        OFFSET 0  -- see take_changes.sql
    ) AS delivered
    CROSS JOIN LATERAL unnest(delivered.merged_ids) AS merged (crm_id)
    JOIN marts.person_identity AS loser ON loser.kind = 'crm_id' AND loser.value = merged.crm_id
    LEFT JOIN raw_hubspot.contacts AS swallowed ON swallowed.crm_id = merged.crm_id
    WHERE delivered.merged_ids <> '{}'
      AND NOT EXISTS (SELECT FROM marts.person_identity AS known WHERE known.kind = 'crm_id' AND known.value = survivor.crm_id)
      AND NOT EXISTS (
          SELECT FROM marts.person_identity AS own
          JOIN staging.contacts AS living ON living.crm_id = own.value
          WHERE own.kind = 'crm_id' AND own.person_id = loser.person_id)
      AND NOT EXISTS (
          SELECT FROM marts.contact_split AS split
          WHERE split.crm_id = merged.crm_id AND split.from_crm_id = ANY (delivered.merged_ids))
    ORDER BY survivor.crm_id, staging.address_key(swallowed.email) IS NOT DISTINCT FROM staging.address_key(survivor.email) DESC,
             swallowed.created_at, loser.person_id, merged.crm_id
), linked AS (
    INSERT INTO marts.person_identity (kind, value, person_id, first_person_id)
    SELECT 'crm_id', min(crm_id), person_id, person_id FROM heir GROUP BY person_id
    ON CONFLICT (kind, value) DO NOTHING
    RETURNING value, person_id
)
INSERT INTO ops.identity_event (kind, person_id, crm_id, reason, decided_by)
SELECT 'linked', linked.person_id, heir.crm_id,
       'the CRM gave a merged contact a new id: contact ' || heir.crm_id || ' lists ' || heir.swallowed_id
           || ' in hs_merged_object_ids',
       'resolve_identity'
FROM linked
JOIN heir ON heir.crm_id = linked.value
