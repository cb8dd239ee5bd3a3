-- Addresses that the CRM marks as bounced for good come onto the list hard_bounce. Who was taken off it by a person stays off.
-- Grain: one address. Reads raw_hubspot.contacts. Writes ops.suppression. Parameters: none. A second run adds nothing.
INSERT INTO ops.suppression (list, kind, value, reason, source, added_by)
SELECT 'hard_bounce', 'email_sha256', bounced.hash, min('HubSpot says ' || left(bounced.reason, 60)), 'hubspot.contacts', 'load_suppressions'
FROM (
    SELECT encode(sha256(convert_to(staging.address_key(email), 'UTF8')), 'hex') AS hash,
           btrim(properties ->> 'hs_email_hard_bounce_reason_enum') AS reason
    FROM raw_hubspot.contacts
    WHERE properties ->> 'hs_email_hard_bounce_reason_enum' IS NOT NULL AND btrim(email) <> ''
) AS bounced
WHERE bounced.reason <> ''
  AND NOT EXISTS (
      SELECT FROM ops.suppression AS known
      WHERE known.kind = 'email_sha256' AND known.value = bounced.hash AND known.list = 'hard_bounce')
GROUP BY bounced.hash
ON CONFLICT (kind, value, list) WHERE removed_at IS NULL DO NOTHING
