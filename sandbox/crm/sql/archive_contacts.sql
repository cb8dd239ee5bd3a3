-- Archive the contacts that ids name; those that are none, or archived already, are left alone.
-- Binds: keys, id_property. Writes crm.contacts.
UPDATE crm.contacts AS c
SET archived_at = moment, modified_at = moment, written_at = moment
FROM crm.find_contacts(%(keys)s::text[], %(id_property)s::text) AS found,
     date_trunc('milliseconds', clock_timestamp()) AS moment
WHERE c.id = found.id AND c.archived_at IS NULL
