-- The first input (by position) whose address belongs to another living contact.
-- Binds: inputs (JSON list of {key, properties}), keys, id_property, emails (those of the inputs, lower case).
-- Reads crm.contacts.
SELECT owner.key AS email, owner.id
FROM ROWS FROM (jsonb_to_recordset(%(inputs)s::jsonb) AS (key text, properties jsonb))
    WITH ORDINALITY AS i (key, properties, position)
JOIN crm.find_contacts(%(emails)s::text[], 'email') AS owner ON owner.key = lower(i.properties ->> 'email')
LEFT JOIN crm.find_contacts(%(keys)s::text[], %(id_property)s::text) AS self ON self.key = i.key
WHERE owner.id IS DISTINCT FROM self.id
ORDER BY i.position
LIMIT 1
