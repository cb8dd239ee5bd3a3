-- Pieces of copy, tonight's or their static fallbacks, with template code, a script or a placeholder that is not declared.
-- Grain: one row. Reads ops.message of one campaign and day, ops.copy. Writes nothing.
-- Binds :campaign, :day, :allowed_placeholders.
WITH used AS (
    SELECT copy_id FROM ops.message WHERE campaign = :campaign AND day = CAST(:day AS date)
    UNION
    SELECT fallback_copy_id FROM ops.message WHERE campaign = :campaign AND day = CAST(:day AS date)
),
text AS (
    SELECT copy_id, concat_ws(' ', output ->> 'headline', output ->> 'body', output ->> 'cta') AS words
    FROM used JOIN ops.copy USING (copy_id)
),
offending AS (
    SELECT copy_id
    FROM text
    WHERE words ~* '\{\{|\{%|<\s*script' OR EXISTS (
        SELECT FROM regexp_matches(words, '\{([^{}]*)\}', 'g') AS placeholder
        WHERE NOT placeholder[1] = ANY (CAST(:allowed_placeholders AS text[]))
    )
)
SELECT
    CAST(count(*) AS double precision) AS observed,
    format('%s of %s pieces of copy hold template code, a script or an undeclared placeholder', count(*), (SELECT count(*) FROM used)) AS found,
    (SELECT coalesce(jsonb_agg(copy_id), '[]') FROM (SELECT copy_id FROM offending ORDER BY copy_id LIMIT 20) AS sample) AS sample_keys
FROM offending
