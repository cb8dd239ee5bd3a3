-- The dead letters of one export day, before it is loaded again: those that are met again open themselves anew.
-- Grain: one dead letter. Reads and writes ops.dead_letter. Parameters: suffix (YYYYMMDD of the day's tables).
-- A second run changes nothing.
UPDATE ops.dead_letter
SET resolved_at = clock_timestamp()
WHERE source = 'ga4.events'
  AND split_part(key, ':', 1) IN ('events_' || %(suffix)s, 'events_intraday_' || %(suffix)s)
  AND resolved_at IS NULL;
