-- Contacts of erased persons do not come back with a load. Who signs up anew does: by a contact made after the erasure, with a consent
-- given after it; such a contact, once stored, is one like any other, and events of its user id count from its making on.
-- Grain: one delivered contact id. Reads pg_temp.delivered_contact, raw_hubspot.contacts, ops.tombstone, ops.tombstone_salt.
-- Writes pg_temp.delivered_contact, ops.tombstone.lifted_at, ops.dead_letter (letters of this load about what is dropped).
-- Parameters: granted_words (text[]: lower-case words of consent_status). A second run changes nothing. Without tombstones nothing
-- is looked at.
WITH identifier AS (
    SELECT delivered.crm_id, each.kind, each.value
    FROM delivered_contact AS delivered
    CROSS JOIN LATERAL (
        SELECT 'crm_id' AS kind, delivered.crm_id AS value
        UNION ALL SELECT 'email', delivered.email
        UNION ALL SELECT 'email', unnest(delivered.additional_emails)
        UNION ALL SELECT 'user_id', delivered.site_user_id
    ) AS each
    WHERE EXISTS (SELECT FROM ops.tombstone) AND each.value IS NOT NULL
), met AS MATERIALIZED (
    SELECT identifier.crm_id, identifier.kind, tombstone.erasure_id, tombstone.erased_at
    FROM identifier
    CROSS JOIN ops.tombstone_salt AS salt
    JOIN ops.tombstone AS tombstone
        ON tombstone.kind = identifier.kind
        AND tombstone.value_hash = ops.tombstone_hash(salt.salt, identifier.kind, identifier.value)
), consent AS (
    SELECT delivered.crm_id, delivered.created_at,
           CASE WHEN lower(btrim(delivered.consent_status)) = ANY (%(granted_words)s::text[])
                     AND btrim(delivered.consent_timestamp) ~ '^\d{4}-\d{2}-\d{2}[T ]'
                     AND pg_input_is_valid(btrim(delivered.consent_timestamp), 'timestamptz')
                THEN btrim(delivered.consent_timestamp)::timestamptz END AS granted_at
    FROM delivered_contact AS delivered
    WHERE delivered.crm_id IN (SELECT crm_id FROM met)
), judged AS MATERIALIZED (
    SELECT met.crm_id,
           bool_or(met.kind = 'crm_id')
           OR NOT EXISTS (SELECT FROM raw_hubspot.contacts AS stored WHERE stored.crm_id = met.crm_id)
              AND NOT coalesce(bool_and(consent.created_at > met.erased_at AND consent.granted_at > met.erased_at), false) AS is_erased,
           max(consent.created_at) AS created_at
    FROM met
    JOIN consent USING (crm_id)
    GROUP BY met.crm_id
), lifted AS (
    UPDATE ops.tombstone AS tombstone
    SET lifted_at = judged.created_at
    FROM judged
    JOIN met USING (crm_id)
    WHERE NOT judged.is_erased AND tombstone.erasure_id = met.erasure_id AND tombstone.lifted_at IS NULL
      AND tombstone.kind IN ('user_id', 'user_pseudo_id')
), forgotten AS (
    DELETE FROM ops.dead_letter AS letter
    USING judged
    WHERE judged.is_erased AND letter.source = 'hubspot.contacts' AND letter.key = judged.crm_id
)
DELETE FROM delivered_contact AS delivered
USING judged
WHERE judged.is_erased AND delivered.crm_id = judged.crm_id
