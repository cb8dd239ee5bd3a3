-- Contacts that were delivered again without a fault: its dead letter is resolved.
-- Grain: one dead letter. Reads and writes ops.dead_letter. Parameters: crm_ids (text[]: contacts delivered), keys and fields
-- (text[] of one length: the faults that they have). A second run changes nothing.
UPDATE ops.dead_letter AS letter
SET resolved_at = clock_timestamp()
WHERE letter.source = 'hubspot.contacts' AND letter.key = ANY (%(crm_ids)s::text[]) AND letter.resolved_at IS NULL
  AND NOT EXISTS (
      SELECT FROM unnest(%(keys)s::text[], %(fields)s::text[]) AS met (key, field)
      WHERE met.key = letter.key AND met.field = letter.field
  )
