-- People whose trigger lies after the night's day (after 12:00 UTC of the next day, when the day has ended everywhere).
-- Grain: one row. Reads marts.audience of one campaign and day. Writes nothing. Binds :campaign, :day.
WITH offending AS (
    SELECT crm_id
    FROM marts.audience
    WHERE campaign = :campaign AND day = CAST(:day AS date)
        AND (trigger_event_day > CAST(:day AS date) OR trigger_at >= (CAST(:day AS date) + interval '36 hours') AT TIME ZONE 'UTC')
)
SELECT
    CAST(count(*) AS double precision) AS observed,
    format('%s triggers lie after %s', count(*), CAST(:day AS date)) AS found,
    (SELECT coalesce(jsonb_agg(crm_id), '[]') FROM (SELECT crm_id FROM offending ORDER BY crm_id LIMIT 20) AS sample) AS sample_keys
FROM offending
