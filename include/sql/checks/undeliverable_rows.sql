-- Q5: dead letters ÷ rows delivered, in the loads of this run. No load logged by this run: not judged.
-- Grain: one row. Reads ops.load_log. Writes nothing. Binds :dag_id, :run_id, :source_prefix.
WITH load AS (
    SELECT source, loaded_rows + dead_rows AS delivered, dead_rows
    FROM ops.load_log
    WHERE dag_id = :dag_id AND run_id = :run_id AND starts_with(source, :source_prefix)
)
SELECT
    CASE WHEN count(*) = 0 THEN NULL WHEN sum(delivered) = 0 THEN 0 ELSE CAST(sum(dead_rows) / sum(delivered) AS double precision) END AS observed,
    CASE WHEN count(*) = 0 THEN 'this run logged no load'
        ELSE format('%s of %s delivered rows went to the dead letters', sum(dead_rows), sum(delivered)) END AS found,
    coalesce(jsonb_agg(source ORDER BY dead_rows DESC) FILTER (WHERE dead_rows > 0), '[]') AS sample_keys
FROM load
