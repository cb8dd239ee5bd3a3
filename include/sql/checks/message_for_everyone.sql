-- People who should have a message and have none, or have one and should not. More than one is impossible by key.
-- Grain: one row. Reads marts.audience and ops.message of one campaign and day. Writes nothing. Binds :campaign, :day.
WITH sendable AS (
    SELECT person_id
    FROM marts.audience
    WHERE campaign = :campaign AND day = CAST(:day AS date) AND arm IN ('ai', 'static') AND suppressed_reason IS NULL
),
assigned AS (
    SELECT person_id FROM ops.message WHERE campaign = :campaign AND day = CAST(:day AS date)
),
offending AS (
    SELECT coalesce(sendable.person_id, assigned.person_id) AS person_id, assigned.person_id IS NULL AS is_without
    FROM sendable FULL JOIN assigned ON assigned.person_id = sendable.person_id
    WHERE sendable.person_id IS NULL OR assigned.person_id IS NULL
)
SELECT
    CAST(count(*) AS double precision) AS observed,
    format('%s of %s people to be written to have no message, %s others have one',
        count(*) FILTER (WHERE is_without), (SELECT count(*) FROM sendable), count(*) FILTER (WHERE NOT is_without)) AS found,
    (SELECT coalesce(jsonb_agg(person_id), '[]') FROM (SELECT person_id FROM offending ORDER BY person_id LIMIT 20) AS sample) AS sample_keys
FROM offending
