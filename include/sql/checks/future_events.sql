-- Q5: the share of the night's events that happened after its last day had ended everywhere on earth
-- (12:00 UTC of the next day; the westernmost zone is UTC-12).
-- Grain: one row. Reads raw_ga4.events, days day-(reread_days-1) … day. Writes nothing.
-- Binds :day, :reread_days.
WITH event AS (
    SELECT event_day, row_number, event_at >= (CAST(:day AS date) + interval '36 hours') AT TIME ZONE 'UTC' AS is_future
    FROM raw_ga4.events
    WHERE event_day > CAST(:day AS date) - CAST(:reread_days AS integer) AND event_day <= CAST(:day AS date)
),
total AS (
    SELECT count(*) AS events, count(*) FILTER (WHERE is_future) AS future FROM event
)
SELECT
    CASE WHEN events = 0 THEN 0 ELSE CAST(future AS double precision) / events END AS observed,
    format('%s of %s events lie after %s', future, events, CAST(:day AS date)) AS found,
    CASE WHEN future > 0 THEN (
        SELECT jsonb_agg(key)
        FROM (SELECT to_char(event_day, 'YYYYMMDD') || ':' || row_number AS key FROM event WHERE is_future LIMIT 20) AS offending
    ) ELSE '[]' END AS sample_keys
FROM total
