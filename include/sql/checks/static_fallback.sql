-- Messages whose fallback is not cleared static copy.
-- Grain: one row. Reads ops.message of one campaign and day, ops.copy. Writes nothing. Binds :campaign, :day.
WITH offending AS (
    SELECT message.person_id
    FROM ops.message JOIN ops.copy ON copy.copy_id = message.fallback_copy_id
    WHERE message.campaign = :campaign AND message.day = CAST(:day AS date)
        AND (copy.origin <> 'static' OR copy.verdict <> 'clear')
)
SELECT
    CAST(count(*) AS double precision) AS observed,
    format('%s messages have no cleared static copy to fall back to', count(*)) AS found,
    (SELECT coalesce(jsonb_agg(person_id), '[]') FROM (SELECT person_id FROM offending ORDER BY person_id LIMIT 20) AS sample) AS sample_keys
FROM offending
