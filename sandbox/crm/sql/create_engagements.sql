-- Create notes or tasks, each on the timelines of its contacts. Answers one row per input, in its order.
-- Binds: kind, inputs (JSON list of {properties, contact_ids}). Writes crm.engagements, crm.engagement_contacts.
-- Run again: once more, as the vendor does it; nothing makes a note unique.
WITH input AS MATERIALIZED (
    SELECT i.position, i.properties, i.contact_ids, nextval('crm.engagement_id') AS id,
           date_trunc('milliseconds', clock_timestamp()) AS moment
    FROM ROWS FROM (jsonb_to_recordset(%(inputs)s::jsonb) AS (properties jsonb, contact_ids bigint[]))
        WITH ORDINALITY AS i (properties, contact_ids, position)
), created AS (
    INSERT INTO crm.engagements (id, kind, properties, created_at, modified_at, written_at)
    SELECT id, %(kind)s, jsonb_strip_nulls(properties), moment, moment, moment FROM input
    RETURNING *
), shown AS (
    INSERT INTO crm.engagement_contacts (contact_id, engagement_id)
    SELECT contact_id, created.id FROM created JOIN input USING (id) CROSS JOIN unnest(input.contact_ids) AS contact_id
)
SELECT created.id, created.properties, created.created_at, created.modified_at, created.archived_at
FROM input JOIN created USING (id)
ORDER BY input.position
