-- For whom a message was chosen or to whom it went, with the GA4 event and the CRM fields behind it, and where it stands. Ids only.
-- Grain: one person and night, at most 20. Reads ops.message_recipient. Writes nothing. Binds message_id, person_id (NULL: anyone).
SELECT *
FROM ops.message_recipient
WHERE message_id = %(message_id)s AND (%(person_id)s::text IS NULL OR person_id = %(person_id)s)
ORDER BY day DESC, person_id
LIMIT 20
