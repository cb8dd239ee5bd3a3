-- The distinct values, as they were typed, in the contexts of the people who get a message tonight.
-- Grain: one key of a context and value. Reads marts.audience. Writes nothing.
-- Parameters: campaign, day (date), keys (text[]), longest (characters; longer values are left out).
SELECT DISTINCT key, audience.context ->> key
FROM marts.audience AS audience
CROSS JOIN unnest(%(keys)s::text[]) AS key
WHERE audience.campaign = %(campaign)s AND audience.day = %(day)s::date AND audience.suppressed_reason IS NULL
  AND jsonb_typeof(audience.context -> key) = 'string' AND char_length(audience.context ->> key) <= %(longest)s
