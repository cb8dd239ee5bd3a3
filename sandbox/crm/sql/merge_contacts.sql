-- Merge the contact `losing_id` into `survivor_id` (both living): the survivor keeps its id and its values, takes over what
-- it lacks, and keeps the other address. Binds: survivor_id, losing_id. Writes crm.contacts, crm.merges.
WITH losing AS (
    DELETE FROM crm.contacts WHERE id = %(losing_id)s RETURNING *
),
remembered AS (
    INSERT INTO crm.merges (losing_id, survivor_id) VALUES (%(losing_id)s, %(survivor_id)s)
),
followed AS (
    UPDATE crm.merges SET survivor_id = %(survivor_id)s WHERE survivor_id = %(losing_id)s
),
survivor AS (
    SELECT c.id, losing.properties || c.properties AS properties,
           coalesce(c.properties ->> 'email', losing.properties ->> 'email') AS email,
           c.emails || losing.emails AS emails,
           concat_ws(';', c.properties ->> 'hs_merged_object_ids', losing.id::text,
                     losing.properties ->> 'hs_merged_object_ids') AS merged_ids,
           date_trunc('milliseconds', clock_timestamp()) AS moment
    FROM crm.contacts AS c, losing
    WHERE c.id = %(survivor_id)s
)
UPDATE crm.contacts AS c
SET modified_at = s.moment, written_at = s.moment,
    properties = jsonb_strip_nulls(s.properties || jsonb_build_object(
        'email', s.email, 'hs_merged_object_ids', s.merged_ids,
        'hs_additional_emails', (
            SELECT string_agg(DISTINCT address, ';') FROM unnest(s.emails) AS address WHERE address <> lower(s.email))))
FROM survivor AS s
WHERE c.id = s.id
RETURNING c.id, c.properties, c.created_at, c.modified_at, c.archived_at
