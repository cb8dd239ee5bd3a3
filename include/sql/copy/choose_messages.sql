-- Says for everyone who gets a message tonight which copy it is. The caller has deleted that night's rows: a re-run replaces them.
-- Grain: one person of one campaign's night. Reads marts.audience, pg_temp.copy_choice. Writes ops.message.
-- Parameters: campaign, day (date), spellings (jsonb: key → value → word, as in distinct_contexts.sql).
WITH raw AS MATERIALIZED (
    SELECT context, ops.narrowed(context, %(spellings)s) AS narrowed
    FROM marts.audience
    WHERE campaign = %(campaign)s AND day = %(day)s::date AND suppressed_reason IS NULL
    GROUP BY context
)
INSERT INTO ops.message (campaign, day, person_id, slot, message_id, copy_id, fallback_copy_id, lane)
SELECT audience.campaign, audience.day, audience.person_id, audience.slot,
       encode(sha256(convert_to(audience.campaign || E'\n' || audience.slot || E'\n' || choice.copy_id, 'UTF8')), 'hex'),
       choice.copy_id, choice.fallback_copy_id, choice.lane
FROM marts.audience AS audience
JOIN raw ON raw.context = audience.context
JOIN pg_temp.copy_choice AS choice ON choice.context = raw.narrowed AND choice.arm = audience.arm
WHERE audience.campaign = %(campaign)s AND audience.day = %(day)s::date AND audience.suppressed_reason IS NULL
