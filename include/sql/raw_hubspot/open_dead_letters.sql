-- Dead letters of contacts that are open, as they stand.
-- Grain: one dead letter of `keys`/`fields` (text[] of one length). Reads ops.dead_letter. Writes nothing. Parameters: keys, fields.
SELECT letter.key, letter.field, letter.reason, letter.payload
FROM unnest(%(keys)s::text[], %(fields)s::text[]) AS met (key, field)
JOIN ops.dead_letter AS letter
    ON letter.source = 'hubspot.contacts' AND letter.key = met.key AND letter.field = met.field
WHERE letter.resolved_at IS NULL
