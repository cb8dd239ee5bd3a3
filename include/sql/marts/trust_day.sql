-- Marks one day as fit for campaigns. Grain: one day. Writes ops.trusted_day. Parameters: day (date), run_id.
-- Re-running a day replaces only that day's verdict.
INSERT INTO ops.trusted_day (day, status, run_id)
VALUES (%(day)s::date, 'trusted', %(run_id)s)
ON CONFLICT (day) DO UPDATE SET status = 'trusted', reason = NULL, run_id = excluded.run_id, decided_at = clock_timestamp()
