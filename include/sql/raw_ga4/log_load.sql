-- What one run did with one export table.
-- Grain: one table of one run. Reads nothing, writes ops.load_log.
-- Parameters: dag_id, run_id, source, day (date), rows, dead (counts), note. A retry of the run overwrites its line.
INSERT INTO ops.load_log (dag_id, run_id, source, day, loaded_rows, dead_rows, note)
VALUES (%(dag_id)s, %(run_id)s, %(source)s, %(day)s, %(rows)s, %(dead)s, %(note)s)
ON CONFLICT (dag_id, run_id, source) DO UPDATE SET
    day = excluded.day, loaded_rows = excluded.loaded_rows, dead_rows = excluded.dead_rows, note = excluded.note,
    loaded_at = clock_timestamp();
