-- Addresses from which a message was reported as spam come onto the list spam_complaint; who was taken off it by a person comes back
-- with a later report only.
-- Grain: one address, however it is spelled. Writes ops.suppression, which it reads too. Parameters: addresses (text[]), moments
-- (timestamptz[] of one length: the latest report of each spelling). A second run adds nothing.
INSERT INTO ops.suppression (list, kind, value, reason, source, added_by)
SELECT 'spam_complaint', 'email_sha256', report.hash, 'reported a message as spam on ' || (report.moment AT TIME ZONE 'UTC')::date,
       'hubspot.email_events', 'load_suppressions'
FROM (
    SELECT encode(sha256(convert_to(staging.address_key(address), 'UTF8')), 'hex') AS hash, max(moment) AS moment
    FROM unnest(%(addresses)s::text[], %(moments)s::timestamptz[]) AS reported (address, moment)
    GROUP BY hash
) AS report
WHERE NOT EXISTS (
    SELECT FROM ops.suppression AS known
    WHERE known.kind = 'email_sha256' AND known.value = report.hash AND known.list = 'spam_complaint'
      AND (known.removed_at IS NULL OR known.removed_at >= report.moment))
ON CONFLICT (kind, value, list) WHERE removed_at IS NULL DO NOTHING
