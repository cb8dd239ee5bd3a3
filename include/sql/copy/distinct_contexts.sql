-- The distinct contexts of the people who get a message tonight, in words of the vocabulary and cut down to what the templates read:
-- what is written depends on these, neither on the people nor on how they spell it.
-- Grain: one such context and arm. Reads marts.audience. Writes nothing.
-- Parameters: campaign, day (date), spellings (jsonb: key → value → word).
SELECT narrowed::text, arm, sum(people)::bigint
FROM (
    SELECT context, arm, count(*) AS people
    FROM marts.audience
    WHERE campaign = %(campaign)s AND day = %(day)s::date AND suppressed_reason IS NULL AND arm IN ('ai', 'static')
    GROUP BY context, arm
) AS raw
CROSS JOIN ops.narrowed(raw.context, %(spellings)s) AS narrowed
GROUP BY narrowed, arm
ORDER BY narrowed::text, arm
