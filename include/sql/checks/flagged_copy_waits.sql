-- Messages ready to go whose copy the guardrails did not clear.
-- Grain: one row. Reads ops.message of one campaign and day, ops.copy. Writes nothing. Binds :campaign, :day.
WITH offending AS (
    SELECT message.person_id
    FROM ops.message JOIN ops.copy USING (copy_id)
    WHERE message.campaign = :campaign AND message.day = CAST(:day AS date)
        AND (copy.verdict = 'rejected' OR (message.lane = 'ready' AND copy.verdict <> 'clear'))
)
SELECT
    CAST(count(*) AS double precision) AS observed,
    format('%s messages would go out with copy that was not cleared', count(*)) AS found,
    (SELECT coalesce(jsonb_agg(person_id), '[]') FROM (SELECT person_id FROM offending ORDER BY person_id LIMIT 20) AS sample) AS sample_keys
FROM offending
