-- Two contacts that the CRM merged are one person from now on; the loser points to the survivor. A person with a living contact is
-- nobody's loser. What a person told apart stays apart: a contact that lists both sides says nothing new.
-- Grain: one losing person. Reads pg_temp.touched (crm_id), raw_hubspot.contacts, staging.contacts, marts.person_identity,
-- marts.contact_split. Writes marts.person, ops.identity_event, pg_temp.touched (person_id).
-- Parameters: none. A second run updates nothing. Of several contacts that list the loser, the one that lists fewest is closest to it.
WITH delivered AS MATERIALIZED (
    SELECT touched_contact.crm_id, contact.merged_ids
    FROM (SELECT DISTINCT value AS crm_id FROM touched WHERE kind = 'crm_id') AS touched_contact
    CROSS JOIN LATERAL (
        SELECT merged_ids FROM raw_hubspot.contacts WHERE contacts.crm_id = touched_contact.crm_id
        OFFSET 0  -- see take_changes.sql
    ) AS contact
    WHERE contact.merged_ids <> '{}'
), evidence AS (
    SELECT DISTINCT ON (losing.person_id)
           losing.person_id, survivor.person_id AS survivor_id, merged.crm_id, delivered.crm_id AS survivor_crm_id
    FROM delivered
    CROSS JOIN LATERAL unnest(delivered.merged_ids) AS merged (crm_id)
    JOIN marts.person_identity AS survivor ON survivor.kind = 'crm_id' AND survivor.value = delivered.crm_id
    JOIN marts.person_identity AS losing ON losing.kind = 'crm_id' AND losing.value = merged.crm_id
    WHERE losing.person_id <> survivor.person_id
      AND NOT EXISTS (
          SELECT FROM marts.person_identity AS own
          JOIN staging.contacts AS living ON living.crm_id = own.value
          WHERE own.kind = 'crm_id' AND own.person_id = losing.person_id)
      AND NOT EXISTS (
          SELECT FROM marts.contact_split AS split
          WHERE split.crm_id = merged.crm_id
            AND (split.from_crm_id = delivered.crm_id OR split.from_crm_id = ANY (delivered.merged_ids)))
    ORDER BY losing.person_id, cardinality(delivered.merged_ids), delivered.crm_id, merged.crm_id
), merged AS (
    UPDATE marts.person AS loser
    SET merged_into = evidence.survivor_id, crm_id = NULL
    FROM evidence
    WHERE loser.person_id = evidence.person_id AND loser.merged_into IS NULL
    RETURNING evidence.*
), noted AS (
    INSERT INTO ops.identity_event (kind, person_id, other_person_id, reason, decided_by)
    SELECT 'merged', person_id, survivor_id,
           'the CRM merged them: contact ' || survivor_crm_id || ' lists ' || crm_id || ' in hs_merged_object_ids', 'resolve_identity'
    FROM merged
)
INSERT INTO touched (kind, value)
SELECT 'person_id', person_id FROM merged
UNION
SELECT 'person_id', survivor_id FROM merged
