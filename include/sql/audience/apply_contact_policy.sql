-- Whom consent allows to write to and contact policy does not, with the reason in words; and for the others, when they may be written to.
-- In this order: suppression list, frequency cap of all campaigns together, a campaign of higher priority that wants the person for the
-- same night. A person answers for everyone whom the CRM merged into them, and for everyone else with the same address (`kin`);
-- for whoever was told apart from them, up to that moment.
-- The claim asks the same again (ledger/withheld.sql), for a night may wait half a day for an approval. What counts as had or wanted,
-- and the words, are in ops.counted_message, marts.wanted_person and ops.withholding for both.
-- Grain: one person of one campaign's night who has a basis of consent. Reads marts.audience, marts.person, marts.person_kin,
-- marts.person_identity, staging.contacts, staging.country_zone, ops.suppression, ops.counted_message, marts.wanted_person. Writes marts.audience.
-- Parameters: campaign, day (date), cap_messages (int; NULL: no cap), cap_days (int), higher_campaigns (text[], the highest first),
-- quiet_from, quiet_to (time), is_weekend_quiet (boolean), zone_countries, country_zones (text[] of one length), default_zone.
-- A second run decides anew over the same people. Times of sending are the clock's, not the night's.
WITH moment AS MATERIALIZED (
    SELECT clock_timestamp() AS now, clock_timestamp() - make_interval(days => %(cap_days)s::int) AS since
), target AS MATERIALIZED (
    SELECT audience.person_id, audience.slot, audience.crm_id, contact.email, contact.time_zone,
           split_part(contact.region, '-', 1) AS country
    FROM marts.audience AS audience
    LEFT JOIN staging.contacts AS contact USING (crm_id)
    WHERE audience.campaign = %(campaign)s AND audience.day = %(day)s::date AND audience.consent_basis IS NOT NULL
), twin AS MATERIALIZED (
    SELECT target.person_id, person.person_id AS twin_id
    FROM target
    JOIN staging.contacts AS contact ON contact.email = target.email AND contact.crm_id <> target.crm_id
    JOIN marts.person AS person ON person.crm_id = contact.crm_id
), kin AS MATERIALIZED (
    -- Nearly everybody is their own kin only: just the others are looked for and told apart.
    SELECT person_id, person_id AS member_id, 'infinity'::timestamptz AS counts_until FROM target
    UNION ALL
    SELECT person_id, member_id, max(counts_until)
    FROM (
        SELECT person_id, twin_id AS member_id, 'infinity'::timestamptz AS counts_until FROM twin
        UNION ALL
        SELECT same.person_id, member.kin_id, member.counts_until
        FROM (SELECT person_id, person_id AS same_id FROM target UNION ALL SELECT person_id, twin_id FROM twin) AS same
        JOIN marts.person_kin AS member ON member.person_id = same.same_id AND member.kin_id <> member.person_id
    ) AS other
    WHERE member_id <> person_id
    GROUP BY person_id, member_id
), listed_person AS MATERIALIZED (
    SELECT value AS person_id, list, reason FROM ops.suppression WHERE kind = 'person_id' AND removed_at IS NULL
    UNION ALL
    SELECT identity.person_id, entry.list, entry.reason
    FROM ops.suppression AS entry
    JOIN marts.person_identity AS identity ON identity.kind = 'crm_id' AND identity.value = entry.value
    WHERE entry.kind = 'crm_id' AND entry.removed_at IS NULL
), listed AS (
    SELECT DISTINCT ON (person_id) person_id, list, reason
    FROM (
        SELECT kin.person_id, entry.list, entry.reason
        FROM kin
        JOIN listed_person AS entry ON entry.person_id = kin.member_id
        WHERE kin.counts_until = 'infinity'
        UNION ALL
        SELECT target.person_id, entry.list, entry.reason
        FROM target
        JOIN ops.suppression AS entry ON entry.value = encode(sha256(convert_to(target.email, 'UTF8')), 'hex')
        WHERE entry.kind = 'email_sha256' AND entry.removed_at IS NULL
        UNION ALL
        SELECT target.person_id, entry.list, entry.reason
        FROM target
        JOIN ops.suppression AS entry ON entry.value = split_part(target.email, '@', 2)
        WHERE entry.kind = 'domain' AND entry.removed_at IS NULL
    ) AS found
    ORDER BY person_id, list, reason
), recent AS (
    SELECT kin.person_id, count(*) AS messages
    FROM ops.counted_message AS message
    JOIN kin ON kin.member_id = message.person_id
    JOIN target ON target.person_id = kin.person_id
    WHERE message.claimed_at > (SELECT since FROM moment) AND message.claimed_at < kin.counts_until
      AND NOT (message.campaign = %(campaign)s AND message.slot = target.slot) AND split_part(message.campaign, '~', 2) = ''
    GROUP BY kin.person_id
), outranked AS (
    SELECT kin.person_id, min(array_position(%(higher_campaigns)s::text[], wanted.campaign)) AS rank
    FROM (
        SELECT campaign, person_id, 'infinity' AS wanted_at FROM marts.wanted_person
        WHERE campaign = ANY (%(higher_campaigns)s::text[]) AND day = %(day)s::date
        UNION ALL
        SELECT campaign, person_id, claimed_at FROM ops.counted_message
        WHERE campaign = ANY (%(higher_campaigns)s::text[]) AND day = %(day)s::date
    ) AS wanted
    JOIN kin ON kin.member_id = wanted.person_id AND (wanted.wanted_at < kin.counts_until OR kin.counts_until = 'infinity')
    GROUP BY kin.person_id
), located AS (
    SELECT target.person_id, coalesce(target.time_zone, own.zone, one.zone, %(default_zone)s) AS zone
    FROM target
    LEFT JOIN unnest(%(zone_countries)s::text[], %(country_zones)s::text[]) AS own (country, zone) USING (country)
    LEFT JOIN staging.country_zone AS one USING (country)
), zone_moment AS MATERIALIZED (
    SELECT zone, ops.next_allowed(moment.now, zone, %(quiet_from)s::time, %(quiet_to)s::time, %(is_weekend_quiet)s::boolean) AS send_after
    FROM (SELECT DISTINCT zone FROM located) AS zone
    CROSS JOIN moment
), decision AS (
    SELECT target.person_id, located.zone, zone_moment.send_after, withheld.*
    FROM target
    JOIN located USING (person_id)
    JOIN zone_moment USING (zone)
    LEFT JOIN listed USING (person_id)
    LEFT JOIN recent USING (person_id)
    LEFT JOIN outranked USING (person_id)
    CROSS JOIN LATERAL ops.withholding(
        listed.list, listed.reason, recent.messages, %(cap_messages)s::int, %(cap_days)s::int,
        (%(higher_campaigns)s::text[])[outranked.rank]
    ) AS withheld
)
UPDATE marts.audience AS audience
SET suppressed_reason = decision.reason, suppressed_detail = decision.words, time_zone = decision.zone,
    send_after = CASE WHEN decision.reason IS NULL THEN decision.send_after END
FROM decision
WHERE audience.campaign = %(campaign)s AND audience.day = %(day)s::date AND audience.person_id = decision.person_id
