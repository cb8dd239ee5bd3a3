-- Q3: the largest unexplained change of an event name, week over week, that chance does not explain.
-- Two Poisson counts of equal mean differ by about sqrt(current + previous), so a change is larger than chance
-- when |current - previous| / sqrt(current + previous) exceeds :event_change_z. Only weekdays that were loaded in both
-- weeks are compared: a day without any event is one that is missing (the check ga4_day_present), not a fall of each
-- name, and the first nights are not all "new". See docs/decisions/0003.
-- Grain: one row. Reads staging.events. Writes nothing.
-- Binds :day, :window_days, :threshold, :event_change_z, :explained (JSON list of event_name, from, until, why).
WITH daily AS (
    SELECT event_name, event_day, count(*) AS events
    FROM staging.events
    WHERE event_day > CAST(:day AS date) - 2 * CAST(:window_days AS integer) AND event_day <= CAST(:day AS date)
    GROUP BY event_name, event_day
),
paired_day AS (
    SELECT DISTINCT earlier.event_day, earlier.event_day + CAST(:window_days AS integer) AS later_day
    FROM daily AS earlier
    WHERE EXISTS (SELECT FROM daily AS later WHERE later.event_day = earlier.event_day + CAST(:window_days AS integer))
),
weekly AS (
    SELECT
        event_name,
        coalesce(sum(events) FILTER (WHERE event_day IN (SELECT later_day FROM paired_day)), 0) AS current,
        coalesce(sum(events) FILTER (WHERE event_day IN (SELECT event_day FROM paired_day)), 0) AS previous
    FROM daily
    GROUP BY event_name
),
announced AS (
    SELECT event_name, "from", until, why
    FROM jsonb_to_recordset(CAST(:explained AS jsonb)) AS entry (event_name text, "from" date, until date, why text)
    WHERE "from" <= CAST(:day AS date) AND until > CAST(:day AS date) - 2 * CAST(:window_days AS integer)
),
changed AS (
    SELECT
        event_name, current, previous,
        CASE WHEN previous = 0 THEN 1 ELSE (current - previous) / previous END AS change,
        event_name IN (SELECT event_name FROM announced) AS is_explained
    FROM weekly
    WHERE current + previous > 0 AND abs(current - previous) / sqrt(current + previous) > CAST(:event_change_z AS numeric)
),
unexplained AS (
    SELECT * FROM changed WHERE abs(change) >= CAST(:threshold AS numeric) AND NOT is_explained
),
worded AS (
    SELECT
        abs(change) AS size, event_name,
        CASE
            WHEN previous = 0 THEN format('%s is new (%s)', event_name, current)
            WHEN current = 0 THEN format('%s vanished (%s before)', event_name, previous)
            ELSE format('%s %s by %s %% (%s to %s)', event_name, CASE WHEN change > 0 THEN 'rose' ELSE 'fell' END,
                round(100 * abs(change), 1), previous, current)
        END AS words
    FROM unexplained
    ORDER BY abs(change) DESC, event_name
    LIMIT 20
)
SELECT
    CASE WHEN NOT EXISTS (SELECT FROM paired_day) THEN NULL
        ELSE coalesce((SELECT CAST(max(abs(change)) AS double precision) FROM changed WHERE NOT is_explained), 0) END AS observed,
    CASE WHEN NOT EXISTS (SELECT FROM paired_day) THEN 'no baseline: no weekday was loaded in both weeks'
        ELSE concat_ws('; ',
            coalesce((SELECT string_agg(words, ', ' ORDER BY size DESC, event_name) FROM worded),
                format('no event name changed by more than allowed and than chance explains (%s names)', (SELECT count(*) FROM weekly))),
            (SELECT 'explained: ' || string_agg(DISTINCT event_name || ' (' || why || ')', ', ') FROM announced),
            (SELECT format('%s of %s days were loaded in both weeks', count(*), CAST(:window_days AS integer)) FROM paired_day)
        ) END AS found,
    (SELECT coalesce(jsonb_agg(event_name ORDER BY size DESC, event_name), '[]') FROM worded) AS sample_keys
