-- The export days that were ever loaded with at least one row.
-- Grain: one day. Reads ops.load_log, writes nothing. No parameters.
SELECT DISTINCT day
FROM ops.load_log
WHERE source ^@ 'ga4.events_' AND loaded_rows + dead_rows > 0;
