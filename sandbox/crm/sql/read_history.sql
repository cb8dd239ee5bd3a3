-- Every value that properties of contacts had, newest first; contacts merged into one lend it theirs.
-- A value that a seed put there counts as one version. Binds: ids, names.
-- Reads crm.property_history, crm.merges, crm.contacts.
WITH written AS (
    SELECT coalesce(m.survivor_id, h.contact_id) AS contact_id, h.property, h.value, h.written_at, h.id AS position
    FROM crm.property_history AS h
    LEFT JOIN crm.merges AS m ON m.losing_id = h.contact_id
    WHERE h.property = ANY (%(names)s)
      AND (h.contact_id = ANY (%(ids)s)
           OR h.contact_id IN (SELECT losing_id FROM crm.merges WHERE survivor_id = ANY (%(ids)s)))
),
seeded AS (
    SELECT c.id, p.key, p.value, c.created_at, 0::bigint
    FROM crm.contacts AS c CROSS JOIN jsonb_each_text(c.properties) AS p
    WHERE c.id = ANY (%(ids)s) AND p.key = ANY (%(names)s)
      AND NOT EXISTS (SELECT FROM written AS w WHERE w.contact_id = c.id AND w.property = p.key AND w.value = p.value)
)
SELECT * FROM written UNION ALL SELECT * FROM seeded
ORDER BY contact_id, property, position DESC
