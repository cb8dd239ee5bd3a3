-- Dead letters of one export day that carry an event of an erased person lose the event; one that was too long to be kept as a row may.
-- Grain: one dead letter. Reads ops.tombstone, ops.tombstone_salt. Writes ops.dead_letter. Parameters: suffix (YYYYMMDD of the day's
-- tables). Without tombstones nothing is looked at; a second run changes nothing.
UPDATE ops.dead_letter AS letter
SET payload = NULL
FROM ops.tombstone_salt AS salt
WHERE EXISTS (SELECT FROM ops.tombstone)
  AND letter.source = 'ga4.events' AND letter.payload IS NOT NULL
  AND split_part(letter.key, ':', 1) IN ('events_' || %(suffix)s, 'events_intraday_' || %(suffix)s)
  AND (jsonb_typeof(letter.payload) <> 'object' OR letter.payload ? 'cut_to' OR EXISTS (
      SELECT FROM ops.tombstone AS tombstone
      WHERE tombstone.kind IN ('user_id', 'user_pseudo_id')
        AND tombstone.value_hash = ops.tombstone_hash(salt.salt, tombstone.kind, letter.payload ->> tombstone.kind)))
