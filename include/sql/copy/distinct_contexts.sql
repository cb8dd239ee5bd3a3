-- The distinct contexts of the people who get a message tonight: what is written depends on these, not on the people.
-- Grain: one context and arm. Reads marts.audience. Parameters: campaign, day (date). Writes nothing.
SELECT context::text, arm, count(*)
FROM marts.audience
WHERE campaign = %(campaign)s AND day = %(day)s::date AND suppressed_reason IS NULL AND arm IN ('ai', 'static')
GROUP BY context, arm
ORDER BY context::text, arm
