-- What one run's latest writing of copy came to.
-- Grain: one run. Writes ops.copy_run; a later attempt takes the place of an earlier one.
-- Parameters: dag_id, run_id, counts (CopyCounts as JSON).
INSERT INTO ops.copy_run (dag_id, run_id, counts)
VALUES (%(dag_id)s, %(run_id)s, %(counts)s)
ON CONFLICT (dag_id, run_id) DO UPDATE SET counts = excluded.counts, made_at = clock_timestamp()
