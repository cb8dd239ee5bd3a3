-- A page of e-mail events, newest first, and one more, which says that there is a next page.
-- Binds (null = no filter): recipient, type, campaign_id, from_ms, to_ms, before_ms and before_id (the last one seen), rows.
SELECT event, created_ms, id
FROM crm.email_events
WHERE (%(recipient)s::text IS NULL OR lower(recipient) = lower(%(recipient)s))
  AND (%(type)s::text IS NULL OR type = %(type)s)
  AND (%(campaign_id)s::bigint IS NULL OR campaign_id = %(campaign_id)s)
  AND (%(from_ms)s::bigint IS NULL OR created_ms >= %(from_ms)s)
  AND (%(to_ms)s::bigint IS NULL OR created_ms <= %(to_ms)s)
  AND (%(before_ms)s::bigint IS NULL OR (created_ms, id) < (%(before_ms)s, %(before_id)s))
ORDER BY created_ms DESC, id DESC
LIMIT %(rows)s
