-- user_id and e-mail lead to the person who carries them today, where exactly one does: a shared address is not one person, and
-- an address that moved to another contact moves with it. What a swallowed contact carried still leads to its survivor, as long
-- as no living contact carries it.
-- Grain: one identifier that this night touched. Reads pg_temp.touched (email, user_id), marts.person, marts.person_identity (crm_id),
-- raw_hubspot.contacts. Writes marts.person_identity. Parameters: none. The links follow from today's contacts alone, whatever
-- nights ran before: the holders of a touched identifier are looked up among all people. A second run writes nothing.
WITH email AS MATERIALIZED (
    SELECT DISTINCT value FROM touched WHERE kind = 'email'
), user_id AS MATERIALIZED (
    SELECT DISTINCT value FROM touched WHERE kind = 'user_id'
), swallowed AS (
    SELECT 'email' AS kind, email.value, contact.crm_id
    FROM email
    CROSS JOIN LATERAL (
        SELECT crm_id FROM raw_hubspot.contacts
        WHERE staging.address_key(contacts.email) = email.value AND merged_into IS NOT NULL
        OFFSET 0  -- see take_changes.sql
    ) AS contact
    UNION ALL
    SELECT 'user_id', user_id.value, contact.crm_id
    FROM user_id
    CROSS JOIN LATERAL (
        SELECT crm_id FROM raw_hubspot.contacts WHERE btrim(contacts.site_user_id) = user_id.value AND merged_into IS NOT NULL
        OFFSET 0
    ) AS contact
), holder AS (
    SELECT 'email' AS kind, value, NULL AS person_id, false AS is_living FROM email
    UNION ALL
    SELECT 'user_id', value, NULL, false FROM user_id
    UNION ALL
    SELECT 'email', email.value, person.person_id, true
    FROM email
    JOIN marts.person AS person ON person.email = email.value AND person.email IS NOT NULL
    WHERE person.merged_into IS NULL
    UNION ALL
    SELECT 'user_id', user_id.value, person.person_id, true
    FROM user_id
    JOIN marts.person AS person ON person.site_user_id = user_id.value AND person.site_user_id IS NOT NULL
    WHERE person.merged_into IS NULL
    UNION ALL
    SELECT swallowed.kind, swallowed.value, survivor.person_id, false
    FROM swallowed
    JOIN marts.person_identity AS identity ON identity.kind = 'crm_id' AND identity.value = swallowed.crm_id
    JOIN marts.person AS survivor ON survivor.person_id = identity.person_id AND survivor.crm_id <> swallowed.crm_id
), decided AS MATERIALIZED (
    SELECT kind, value,
           CASE WHEN coalesce(min(person_id) FILTER (WHERE is_living), min(person_id))
                   = coalesce(max(person_id) FILTER (WHERE is_living), max(person_id))
                THEN coalesce(min(person_id) FILTER (WHERE is_living), min(person_id)) END AS person_id
    FROM holder
    GROUP BY kind, value
), unlinked AS (
    DELETE FROM marts.person_identity AS link
    USING decided
    WHERE link.kind = decided.kind AND link.value = decided.value AND decided.person_id IS NULL
)
INSERT INTO marts.person_identity AS link (kind, value, person_id)
SELECT decided.kind, decided.value, decided.person_id
FROM decided
LEFT JOIN marts.person_identity AS known ON known.kind = decided.kind AND known.value = decided.value
WHERE decided.person_id IS NOT NULL AND known.person_id IS DISTINCT FROM decided.person_id
ON CONFLICT (kind, value) DO UPDATE SET person_id = excluded.person_id
