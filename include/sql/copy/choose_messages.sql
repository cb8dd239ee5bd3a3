-- Says for everyone who gets a message tonight which copy it is. The caller has deleted that night's rows: a re-run replaces them.
-- Grain: one person of one campaign's night. Reads marts.audience, pg_temp.copy_choice. Writes ops.message.
-- Parameters: campaign, day (date).
INSERT INTO ops.message (campaign, day, person_id, slot, message_id, copy_id, fallback_copy_id, lane)
SELECT audience.campaign, audience.day, audience.person_id, audience.slot,
       encode(sha256(convert_to(audience.campaign || E'\n' || audience.slot || E'\n' || choice.copy_id, 'UTF8')), 'hex'),
       choice.copy_id, choice.fallback_copy_id, choice.lane
FROM marts.audience AS audience
JOIN pg_temp.copy_choice AS choice ON choice.context = audience.context AND choice.arm = audience.arm
WHERE audience.campaign = %(campaign)s AND audience.day = %(day)s::date AND audience.suppressed_reason IS NULL
