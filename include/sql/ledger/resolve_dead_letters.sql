-- Messages that are settled need nobody's attention any more: their dead letters are resolved.
-- Grain: one dead letter. Reads and writes ops.dead_letter. Parameters: keys (text[]). A second run changes nothing.
UPDATE ops.dead_letter
SET resolved_at = clock_timestamp()
WHERE source = 'crm.push' AND key = ANY (%(keys)s::text[]) AND resolved_at IS NULL
