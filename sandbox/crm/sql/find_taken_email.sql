-- The first input (by position) whose address belongs to another living contact.
-- Binds: inputs (JSON list of {key, properties}), keys, id_property. Reads crm.contacts.
SELECT lower(i.properties ->> 'email') AS email, other.id
FROM ROWS FROM (jsonb_to_recordset(%(inputs)s::jsonb) AS (key text, properties jsonb))
    WITH ORDINALITY AS i (key, properties, position)
LEFT JOIN crm.find_contacts(%(keys)s::text[], %(id_property)s::text) AS self ON self.key = i.key
JOIN crm.contacts AS other
    ON other.emails @> ARRAY[lower(i.properties ->> 'email')] AND other.archived_at IS NULL
    AND other.id IS DISTINCT FROM self.id
WHERE i.properties ->> 'email' <> ''
ORDER BY i.position, other.id
LIMIT 1
