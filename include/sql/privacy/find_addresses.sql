-- The person's addresses and user ids: what their contacts carry, and nobody else's. An address that a contact of another person
-- carries too is that person's as well: it is not looked for, and neither erased nor kept from coming back.
-- Grain: one identifier. Reads ops.privacy_subject, raw_hubspot.contacts, marts.person_identity. Writes ops.privacy_subject, returns
-- nothing. Parameters: request_id. A second run inserts nothing.
WITH own_contact AS (
    SELECT value AS crm_id FROM ops.privacy_subject WHERE request_id = %(request_id)s AND kind = 'crm_id'
), carried AS (
    SELECT contact.crm_id, identifier.kind, identifier.value
    FROM raw_hubspot.contacts AS contact
    CROSS JOIN LATERAL (
        SELECT 'email' AS kind, spelled.value
        FROM unnest(contact.additional_emails || contact.email) AS address
        CROSS JOIN LATERAL (VALUES (lower(btrim(address))), (staging.address_key(address))) AS spelled (value)
        UNION SELECT 'user_id', btrim(contact.site_user_id)
    ) AS identifier
    WHERE identifier.value <> ''
), own AS (
    SELECT kind, value FROM carried WHERE crm_id IN (SELECT crm_id FROM own_contact)
    UNION
    SELECT kind, value FROM marts.person_identity
    WHERE kind IN ('email', 'user_id')
      AND person_id IN (SELECT value FROM ops.privacy_subject WHERE request_id = %(request_id)s AND kind = 'person_id')
)
INSERT INTO ops.privacy_subject (request_id, kind, value)
SELECT %(request_id)s, own.kind, own.value
FROM own
WHERE NOT EXISTS (
    SELECT FROM carried
    WHERE carried.kind = own.kind AND carried.value = own.value AND carried.crm_id NOT IN (SELECT crm_id FROM own_contact)
)
ON CONFLICT DO NOTHING
