-- The share of the AI arm that gets static copy.
-- Grain: one row. Reads marts.audience and ops.message of one campaign and day, ops.copy. Writes nothing. Binds :campaign, :day.
WITH ai AS (
    SELECT copy.origin
    FROM marts.audience
    JOIN ops.message USING (campaign, day, person_id)
    JOIN ops.copy USING (copy_id)
    WHERE audience.campaign = :campaign AND audience.day = CAST(:day AS date) AND audience.arm = 'ai'
)
SELECT
    CASE WHEN count(*) = 0 THEN 0 ELSE CAST(count(*) FILTER (WHERE origin = 'static') AS double precision) / count(*) END AS observed,
    format('%s of %s people of the AI arm get static copy', count(*) FILTER (WHERE origin = 'static'), count(*)) AS found,
    CAST('[]' AS jsonb) AS sample_keys
FROM ai
