-- Living contacts that carry a pushed message, last modified first. Binds: rows. Reads crm.contacts.
SELECT id, modified_at, count(*) OVER () AS total,
       concat_ws(' ', properties ->> 'firstname', properties ->> 'lastname') AS name,
       properties ->> 'nurture_subject' AS subject,
       properties ->> 'nurture_campaign' AS campaign,
       properties ->> 'nurture_message_id' AS message_id
FROM crm.contacts
WHERE properties ? 'nurture_message_id' AND archived_at IS NULL
ORDER BY modified_at DESC, id
LIMIT %(rows)s
