-- Q5: days of which this run loaded nothing: the night's own day, or (:earlier) the days before it that are read again.
-- A day counts as loaded when the latest line that this run logged for it has rows.
-- Grain: one row. Reads ops.load_log, raw_ga4.events. Writes nothing. Binds :dag_id, :run_id, :day, :reread_days, :earlier.
WITH wanted AS (
    SELECT CAST(:day AS date) - back AS day
    FROM generate_series(1, CAST(:reread_days AS integer) - 1) AS back
    WHERE CAST(:earlier AS boolean)
    UNION ALL
    SELECT CAST(:day AS date) WHERE NOT CAST(:earlier AS boolean)
),
load AS (
    SELECT DISTINCT ON (day) day, source, loaded_rows, dead_rows, note
    FROM ops.load_log
    WHERE dag_id = :dag_id AND run_id = :run_id AND starts_with(source, 'ga4.')
    ORDER BY day, loaded_at DESC
),
missing AS (
    SELECT
        wanted.day,
        CASE
            WHEN load.day IS NULL THEN 'this run read no table of it'
            WHEN dead_rows > 0 THEN format('%s: all %s rows went to ops.dead_letter', source, dead_rows)
            ELSE format('%s: %s', source, coalesce(note, 'the table was empty'))
        END
        -- Counted for missing days only, of which there are four at most.
        || format(' (%s rows of earlier loads)', (SELECT count(*) FROM raw_ga4.events WHERE event_day = wanted.day)) AS words
    FROM wanted LEFT JOIN load USING (day)
    WHERE coalesce(load.loaded_rows, 0) = 0
)
SELECT
    CAST(count(*) AS double precision) AS observed,
    CASE WHEN count(*) = 0 THEN format('%s of %s days loaded', (SELECT count(*) FROM wanted), (SELECT count(*) FROM wanted))
        ELSE 'no data of ' || string_agg(format('%s was loaded: %s', day, words), '; of ' ORDER BY day) END AS found,
    coalesce(jsonb_agg(to_char(day, 'YYYYMMDD') ORDER BY day), '[]') AS sample_keys
FROM missing
