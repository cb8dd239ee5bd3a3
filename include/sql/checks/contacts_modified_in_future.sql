-- Q5: CRM records that say they were changed more than a day from now.
-- "Now" is the later of the clock and the end of the night's day, so that sandbox worlds may be ahead of the clock.
-- Grain: one row. Reads raw_hubspot.contacts. Writes nothing. Binds :day.
WITH future AS (
    SELECT crm_id
    FROM raw_hubspot.contacts
    WHERE modified_at > greatest(clock_timestamp(), (CAST(:day AS date) + interval '36 hours') AT TIME ZONE 'UTC') + interval '1 day'
)
SELECT
    CAST(count(*) AS double precision) AS observed,
    format('%s contacts were changed in the future', count(*)) AS found,
    (SELECT coalesce(jsonb_agg(crm_id), '[]') FROM (SELECT crm_id FROM future ORDER BY crm_id LIMIT 20) AS offending) AS sample_keys
FROM future
