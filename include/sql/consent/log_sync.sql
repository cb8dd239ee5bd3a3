-- What one sync read, and up to where.
-- Grain: one run; one watermark. Writes ops.watermark, ops.load_log. Parameters: source, watermark (timestamptz), dag_id, run_id,
-- contacts. A second run replaces what it wrote.
WITH kept AS (
    INSERT INTO ops.watermark (source, value) VALUES (%(source)s, %(watermark)s)
    ON CONFLICT (source) DO UPDATE SET value = excluded.value
)
INSERT INTO ops.load_log (dag_id, run_id, source, loaded_rows, note)
VALUES (%(dag_id)s, %(run_id)s, %(source)s, %(contacts)s, 'consent of contacts that changed')
ON CONFLICT (dag_id, run_id, source) DO UPDATE SET loaded_rows = excluded.loaded_rows, loaded_at = clock_timestamp()
