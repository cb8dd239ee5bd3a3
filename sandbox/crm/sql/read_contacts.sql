-- The contacts that keys name: one row per key in its order; `id` is null where none was found.
-- Binds: keys, id_property, archived. Reads crm.contacts, crm.merges.
SELECT k.key, c.id, c.properties, c.created_at, c.modified_at, c.archived_at
FROM unnest(%(keys)s::text[]) WITH ORDINALITY AS k (key, position)
LEFT JOIN crm.find_contacts(%(keys)s::text[], %(id_property)s::text) AS found ON found.key = k.key
LEFT JOIN crm.contacts AS c ON c.id = found.id AND (c.archived_at IS NOT NULL) = %(archived)s
ORDER BY k.position
