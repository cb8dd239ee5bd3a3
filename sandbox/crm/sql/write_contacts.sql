-- Create, update or upsert a batch. Answers one row per input, in its order; `id` is null where no contact was found.
-- Binds: inputs (JSON list of {key, properties}; null or '' clears), keys, id_property, create_missing.
-- Writes crm.contacts and crm.property_history. Run again: the same values once more, and once more in the history.
WITH input AS MATERIALIZED (
    SELECT i.position, i.properties, found.id IS NULL AS is_new,
           coalesce(found.id, CASE WHEN %(create_missing)s THEN nextval('crm.contact_id') END) AS id,
           date_trunc('milliseconds', clock_timestamp()) AS moment
    FROM ROWS FROM (jsonb_to_recordset(%(inputs)s::jsonb) AS (key text, properties jsonb))
        WITH ORDINALITY AS i (key, properties, position)
    LEFT JOIN crm.find_contacts(%(keys)s::text[], %(id_property)s::text) AS found ON found.key = i.key
),
latest AS (
    SELECT DISTINCT ON (id) * FROM input WHERE id IS NOT NULL ORDER BY id, position DESC
),
inserted AS (
    INSERT INTO crm.contacts (id, properties, created_at, modified_at, written_at)
    SELECT id, jsonb_strip_nulls(properties), moment, moment, moment FROM latest WHERE is_new
    RETURNING *
),
updated AS (
    UPDATE crm.contacts AS c
    SET properties = jsonb_strip_nulls(c.properties || l.properties), modified_at = l.moment, written_at = l.moment
    FROM latest AS l
    WHERE c.id = l.id AND NOT l.is_new AND c.archived_at IS NULL
    RETURNING c.*
),
written AS (
    SELECT * FROM inserted UNION ALL SELECT * FROM updated
),
history AS (
    INSERT INTO crm.property_history (contact_id, property, value, written_at)
    SELECT w.id, p.key, coalesce(p.value, ''), w.written_at
    FROM written AS w JOIN latest USING (id) CROSS JOIN jsonb_each_text(latest.properties) AS p
)
SELECT w.id, w.properties, w.created_at, w.modified_at, w.archived_at, i.is_new
FROM input AS i LEFT JOIN written AS w USING (id)
ORDER BY i.position
