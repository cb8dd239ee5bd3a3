-- Pieces of copy, tonight's or their static fallbacks, whose headline, body or cta is not a non-empty string.
-- Grain: one row. Reads ops.message of one campaign and day, ops.copy. Writes nothing. Binds :campaign, :day.
WITH used AS (
    SELECT copy_id FROM ops.message WHERE campaign = :campaign AND day = CAST(:day AS date)
    UNION
    SELECT fallback_copy_id FROM ops.message WHERE campaign = :campaign AND day = CAST(:day AS date)
),
offending AS (
    SELECT copy_id
    FROM used JOIN ops.copy USING (copy_id)
    WHERE EXISTS (
        SELECT FROM unnest(ARRAY['headline', 'body', 'cta']) AS part
        WHERE jsonb_typeof(output -> part) IS DISTINCT FROM 'string' OR btrim(output ->> part, E' \t\r\n') = ''
    )
)
SELECT
    CAST(count(*) AS double precision) AS observed,
    format('%s of %s pieces of copy lack headline, body or cta', count(*), (SELECT count(*) FROM used)) AS found,
    (SELECT coalesce(jsonb_agg(copy_id), '[]') FROM (SELECT copy_id FROM offending ORDER BY copy_id LIMIT 20) AS sample) AS sample_keys
FROM offending
