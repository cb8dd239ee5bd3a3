-- Q5: rows or records that could not be loaded ÷ all delivered, in the loads of this run. No load logged by this run: not judged.
-- Fewer than :undeliverable_rows_min only warn: one bad record among the few that changed since last night stops nobody.
-- Grain: one row. Reads ops.load_log. Writes nothing. Binds :dag_id, :run_id, :source_prefix, :undeliverable_rows_min.
WITH load AS (
    SELECT source, loaded_rows + dead_rows AS delivered, dead_rows
    FROM ops.load_log
    WHERE dag_id = :dag_id AND run_id = :run_id AND starts_with(source, :source_prefix)
)
SELECT
    CASE WHEN count(*) = 0 THEN NULL WHEN sum(delivered) = 0 THEN 0 ELSE CAST(sum(dead_rows) / sum(delivered) AS double precision) END AS observed,
    CASE
        WHEN count(*) = 0 THEN 'this run logged no load'
        ELSE format('%s of %s delivered rows could not be loaded', sum(dead_rows), sum(delivered))
            || CASE WHEN sum(dead_rows) BETWEEN 1 AND CAST(:undeliverable_rows_min AS integer) - 1
                THEN format(', fewer than the %s that stop a night', CAST(:undeliverable_rows_min AS integer)) ELSE '' END
    END AS found,
    coalesce(jsonb_agg(source ORDER BY dead_rows DESC) FILTER (WHERE dead_rows > 0), '[]') AS sample_keys,
    coalesce(sum(dead_rows) < CAST(:undeliverable_rows_min AS integer), false) AS only_warns
FROM load
