-- A page of contacts by id, and one more, which says that there is a next page.
-- Binds: after (id), archived, rows. Reads crm.contacts.
SELECT id, properties, created_at, modified_at, archived_at
FROM crm.contacts
WHERE id > %(after)s AND (archived_at IS NOT NULL) = %(archived)s
ORDER BY id
LIMIT %(rows)s
