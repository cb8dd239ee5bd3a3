-- People who were given an arm although they are suppressed, or without a recorded basis of consent.
-- Grain: one row. Reads marts.audience of one campaign and day. Writes nothing. Binds :campaign, :day.
WITH offending AS (
    SELECT crm_id
    FROM marts.audience
    WHERE campaign = :campaign AND day = CAST(:day AS date)
        AND arm IS NOT NULL AND (suppressed_reason IS NOT NULL OR coalesce(btrim(consent_basis), '') = '')
)
SELECT
    CAST(count(*) AS double precision) AS observed,
    format('%s people have an arm but are suppressed or have no basis of consent', count(*)) AS found,
    (SELECT coalesce(jsonb_agg(crm_id), '[]') FROM (SELECT crm_id FROM offending ORDER BY crm_id LIMIT 20) AS sample) AS sample_keys
FROM offending
