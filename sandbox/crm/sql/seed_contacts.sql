-- Put contacts in as they are: unchecked, without history, whatever the API would refuse. Known ids are replaced.
-- Binds: contacts (JSON list of {id?, properties, archived?, createdate?, lastmodifieddate?}).
-- Writes crm.contacts, crm.merges (from hs_merged_object_ids), crm.properties (unknown names become text properties).
WITH given AS MATERIALIZED (
    SELECT coalesce(c.id, (c.properties ->> 'hs_object_id')::bigint, nextval('crm.contact_id')) AS id,
           coalesce((SELECT jsonb_object_agg(p.key, p.value) FROM jsonb_each_text(c.properties) AS p
                     WHERE p.value <> '' AND p.key NOT IN ('hs_object_id', 'createdate', 'lastmodifieddate')),
                    '{}') AS properties,
           coalesce(crm.moment(c.lastmodifieddate), crm.moment(c.properties ->> 'lastmodifieddate'), now()) AS modified_at,
           coalesce(crm.moment(c.createdate), crm.moment(c.properties ->> 'createdate')) AS created_at,
           coalesce(c.archived, false) AS is_archived
    FROM jsonb_to_recordset(%(contacts)s::jsonb)
        AS c (id bigint, properties jsonb, archived boolean, createdate text, lastmodifieddate text)
),
merged AS (
    INSERT INTO crm.merges (losing_id, survivor_id)
    SELECT DISTINCT ON (losing) losing::bigint, id
    FROM given CROSS JOIN string_to_table(properties ->> 'hs_merged_object_ids', ';') AS losing
    WHERE losing ~ '^[0-9]{1,18}$'
    ON CONFLICT (losing_id) DO UPDATE SET survivor_id = excluded.survivor_id
),
named AS (
    INSERT INTO crm.properties (name, definition)
    SELECT DISTINCT name, jsonb_build_object(
        'name', name, 'label', name, 'type', 'string', 'fieldType', 'text', 'groupName', 'contactinformation')
    FROM given CROSS JOIN jsonb_object_keys(properties) AS name
    ON CONFLICT (object_type, name) DO NOTHING
)
INSERT INTO crm.contacts (id, properties, created_at, modified_at, written_at, archived_at)
SELECT DISTINCT ON (id) id, properties, coalesce(least(created_at, modified_at), modified_at), modified_at, '-infinity',
       CASE WHEN is_archived THEN modified_at END
FROM given
ORDER BY id
ON CONFLICT (id) DO UPDATE SET
    properties = excluded.properties, created_at = excluded.created_at, modified_at = excluded.modified_at,
    written_at = excluded.written_at, archived_at = excluded.archived_at
