-- Who must not get this message now by contact policy, each with the reason in words: asked right before every claim, under the lock
-- that all campaigns share, so that what another campaign claimed a moment ago counts. The same rules as
-- audience/apply_contact_policy.sql has for a whole night; here each look goes through an index, for it is asked for every batch.
-- Grain: one person of `person_ids` who is withheld. Reads marts.audience, marts.person, marts.person_kin, marts.person_identity,
-- staging.contacts, ops.suppression, ops.counted_message, marts.wanted_person. Writes nothing. Parameters: campaign, day (date),
-- person_ids (text[]), cap_messages (int; NULL: no cap), cap_days (int), higher_campaigns (text[], the highest first).
WITH moment AS MATERIALIZED (
    SELECT clock_timestamp() - make_interval(days => %(cap_days)s::int) AS since
), target AS MATERIALIZED (
    SELECT audience.person_id, audience.slot, person.crm_id, contact.email
    FROM marts.audience AS audience
    JOIN marts.person AS person USING (person_id)
    LEFT JOIN staging.contacts AS contact ON contact.crm_id = person.crm_id
    WHERE audience.campaign = %(campaign)s AND audience.day = %(day)s::date AND audience.person_id = ANY (%(person_ids)s::text[])
), kin AS MATERIALIZED (
    SELECT same.person_id, member.member_id, max(member.counts_until) AS counts_until
    FROM (
        SELECT person_id, person_id AS kin_id FROM target
        UNION
        SELECT target.person_id, person.person_id
        FROM target
        JOIN staging.contacts AS contact ON contact.email = target.email AND contact.crm_id <> target.crm_id
        JOIN marts.person AS person ON person.crm_id = contact.crm_id
    ) AS same
    CROSS JOIN LATERAL (
        SELECT kin_id AS member_id, counts_until FROM marts.person_kin WHERE person_kin.person_id = same.kin_id
        OFFSET 0  -- one look into the index for each: without it the planner reads all persons
    ) AS member
    GROUP BY same.person_id, member.member_id
), key AS MATERIALIZED (
    SELECT person_id, 'person_id' AS kind, member_id AS value FROM kin WHERE counts_until = 'infinity'
    UNION ALL
    SELECT kin.person_id, 'crm_id', identity.value
    FROM kin
    CROSS JOIN LATERAL (
        SELECT value FROM marts.person_identity WHERE kind = 'crm_id' AND person_identity.person_id = kin.member_id OFFSET 0
    ) AS identity
    WHERE kin.counts_until = 'infinity'
    UNION ALL
    SELECT person_id, 'email_sha256', encode(sha256(convert_to(email, 'UTF8')), 'hex') FROM target WHERE email IS NOT NULL
    UNION ALL
    SELECT person_id, 'domain', split_part(email, '@', 2) FROM target WHERE email IS NOT NULL
), listed AS (
    SELECT DISTINCT ON (key.person_id) key.person_id, entry.list, entry.reason
    FROM key
    CROSS JOIN LATERAL (
        SELECT list, reason FROM ops.suppression
        WHERE suppression.kind = key.kind AND suppression.value = key.value AND removed_at IS NULL
        OFFSET 0
    ) AS entry
    ORDER BY key.person_id, entry.list, entry.reason
), recent AS (
    SELECT kin.person_id, count(*) AS messages
    FROM kin
    JOIN target USING (person_id)
    CROSS JOIN LATERAL (
        SELECT campaign, slot, claimed_at FROM ops.counted_message
        WHERE counted_message.person_id = kin.member_id AND claimed_at > (SELECT since FROM moment)
        OFFSET 0
    ) AS message
    WHERE NOT (message.campaign = %(campaign)s AND message.slot = target.slot) AND split_part(message.campaign, '~', 2) = ''
      AND message.claimed_at < kin.counts_until
    GROUP BY kin.person_id
), outranked AS (
    SELECT kin.person_id, min(place) AS rank
    FROM kin
    CROSS JOIN unnest(%(higher_campaigns)s::text[]) WITH ORDINALITY AS higher (campaign, place)
    WHERE EXISTS (
            SELECT FROM marts.wanted_person AS wanted
            WHERE wanted.campaign = higher.campaign AND wanted.day = %(day)s::date AND wanted.person_id = kin.member_id
              AND kin.counts_until = 'infinity')
       OR EXISTS (
            SELECT FROM ops.counted_message AS message
            WHERE message.campaign = higher.campaign AND message.person_id = kin.member_id AND message.day = %(day)s::date
              AND message.claimed_at < kin.counts_until)
    GROUP BY kin.person_id
)
SELECT target.person_id, withheld.words
FROM target
LEFT JOIN listed USING (person_id)
LEFT JOIN recent USING (person_id)
LEFT JOIN outranked USING (person_id)
CROSS JOIN LATERAL ops.withholding(
    listed.list, listed.reason, recent.messages, %(cap_messages)s::int, %(cap_days)s::int,
    (%(higher_campaigns)s::text[])[outranked.rank]
) AS withheld
WHERE withheld.reason IS NOT NULL
