-- Q1: the share of events without user_id, among events of people whom the site is expected to know.
-- Expected to know: event names that only a known person can cause, and every event of a visitor
-- (user_pseudo_id) who carries a user_id anywhere in the window. Anonymous visitors do not count.
-- Grain: one row. Reads staging.events. Writes nothing.
-- Binds :day, :window_days, :identified_events, :threshold.
WITH event AS (
    SELECT
        event_day, row_number, user_pseudo_id,
        coalesce(btrim(user_id), '') <> '' AS has_user_id,
        event_name = ANY (CAST(:identified_events AS text[])) AS is_of_known_person
    FROM staging.events
    WHERE event_day > CAST(:day AS date) - CAST(:window_days AS integer) AND event_day <= CAST(:day AS date)
),
visitor AS (
    SELECT
        user_pseudo_id,
        count(*) AS events,
        count(*) FILTER (WHERE has_user_id) AS with_user_id,
        count(*) FILTER (WHERE has_user_id OR is_of_known_person) AS expected_anyway,
        count(*) FILTER (WHERE is_of_known_person AND NOT has_user_id) AS missing_anyway
    FROM event
    GROUP BY user_pseudo_id
),
total AS (
    SELECT
        coalesce(sum(events), 0) AS events,
        coalesce(sum(with_user_id), 0) AS with_user_id,
        coalesce(sum(CASE WHEN user_pseudo_id IS NOT NULL AND with_user_id > 0 THEN events ELSE expected_anyway END), 0) AS expected,
        coalesce(sum(CASE WHEN user_pseudo_id IS NOT NULL AND with_user_id > 0 THEN events - with_user_id ELSE missing_anyway END), 0) AS missing
    FROM visitor
),
judged AS (
    SELECT *, CASE WHEN with_user_id = 0 THEN 1 ELSE missing / expected END AS observed
    FROM total
)
SELECT
    CAST(observed AS double precision) AS observed,
    CASE
        WHEN events = 0 THEN format('no event at all in the %s days to %s: GA4 was not loaded', CAST(:window_days AS integer), CAST(:day AS date))
        WHEN with_user_id = 0 THEN format('no event carries a user_id (%s events in the %s days to %s): the join to the CRM is broken',
            events, CAST(:window_days AS integer), CAST(:day AS date))
        ELSE format('%s of %s events of known people carry no user_id (%s events in the %s days to %s)',
            missing, expected, events, CAST(:window_days AS integer), CAST(:day AS date))
    END AS found,
    CASE WHEN observed >= CAST(:threshold AS numeric) THEN (
        SELECT coalesce(jsonb_agg(key), '[]')
        FROM (
            SELECT to_char(event_day, 'YYYYMMDD') || ':' || row_number AS key
            FROM event
            WHERE NOT has_user_id AND (
                is_of_known_person
                OR EXISTS (SELECT FROM visitor WHERE visitor.user_pseudo_id = event.user_pseudo_id AND visitor.with_user_id > 0)
            )
            LIMIT 20
        ) AS offending
    ) ELSE '[]' END AS sample_keys
FROM judged
