-- Who may be written to, and on what basis; everyone else gets the first reason that applies. Fails closed.
-- A person answers for everyone whom the CRM merged into them, and for everyone else with the same address.
-- Grain: one person of one campaign's night. Reads marts.person, marts.person_member, marts.person_identity, staging.contacts,
-- staging.events, raw_hubspot.contacts, ops.consent_event, ops.push_ledger. Writes marts.audience.
-- Parameters: campaign, day (date), and the rules of include/consent_regions.yaml: rule_regions, rule_ids, rule_bases (text[] of one
-- length), implied_rules, implied_events (text[]), implied_days (int[]) of another. A second run gives the same result.
WITH rule AS (
    SELECT * FROM unnest(%(rule_regions)s::text[], %(rule_ids)s::text[], %(rule_bases)s::text[]) AS rule (region, id, basis)
), implying AS (
    SELECT rule_id, array_agg(event_name) AS events, array_agg(days) AS event_days
    FROM unnest(%(implied_rules)s::text[], %(implied_events)s::text[], %(implied_days)s::int[]) AS by (rule_id, event_name, days)
    GROUP BY rule_id
), candidate AS MATERIALIZED (
    -- US-XX goes before US; where no rule names the region, the strictest holds.
    SELECT audience.person_id, audience.slot, contact.crm_id, contact.email, contact.is_opted_out, contact.consent_status,
           contact.consent_at, contact.region,
           coalesce(own.id, country.id, 'strictest') AS rule_id, coalesce(own.basis, country.basis, 'opt_in') AS rule_basis,
           row_number() OVER (PARTITION BY contact.email ORDER BY contact.modified_at DESC, contact.crm_id) AS address_rank
    FROM marts.audience AS audience
    LEFT JOIN marts.person AS person USING (person_id)
    LEFT JOIN staging.contacts AS contact ON contact.crm_id = audience.crm_id AND contact.crm_id = person.crm_id
    LEFT JOIN rule AS own ON own.region = contact.region
    LEFT JOIN rule AS country ON country.region = split_part(contact.region, '-', 1)
    WHERE audience.campaign = %(campaign)s AND audience.day = %(day)s::date
), implied AS MATERIALIZED (
    SELECT done.person_id, done.event_name || ' of ' || to_char(done.event_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS deed
    FROM implying
    CROSS JOIN LATERAL ops.implied_consent(
        (SELECT array_agg(person_id) FROM candidate
         WHERE candidate.rule_id = implying.rule_id AND consent_status IS DISTINCT FROM 'granted'),
        implying.events, implying.event_days
    ) AS done
), addressee AS MATERIALIZED (
    SELECT contact.email, person.person_id, contact.is_opted_out OR contact.consent_status = 'denied' AS is_refusing
    FROM staging.contacts AS contact
    LEFT JOIN marts.person AS person USING (crm_id)
    WHERE contact.email IN (SELECT email FROM candidate)
), denial AS MATERIALIZED (
    -- Only the person's own later grant lifts a denial; one given by a merged person before the merge does not.
    SELECT member.person_id
    FROM marts.person_member AS member
    JOIN ops.consent_event AS event ON event.person_id = member.member_id
    WHERE member.person_id IN (SELECT person_id FROM candidate UNION SELECT person_id FROM addressee)
    GROUP BY member.person_id
    HAVING max(event.happened_at) FILTER (WHERE event.status = 'denied')
        >= coalesce(max(event.happened_at) FILTER (WHERE event.status = 'granted' AND event.person_id = member.person_id), '-infinity')
), refusing_address AS (
    SELECT DISTINCT email FROM addressee WHERE is_refusing OR person_id IN (SELECT person_id FROM denial)
), written AS MATERIALIZED (
    -- The address is that of the contact written to, which a merge or a deletion may have taken from staging since.
    -- The days are for the index: a slot is a week, the nights that write it lie days around that week, and the ledger holds years.
    SELECT ledger.person_id, ledger.slot, ledger.state, staging.address_key(delivered.email) AS email
    FROM ops.push_ledger AS ledger
    LEFT JOIN raw_hubspot.contacts AS delivered USING (crm_id)
    WHERE ledger.campaign = %(campaign)s AND ledger.day BETWEEN %(day)s::date - 35 AND %(day)s::date + 35
      AND ledger.slot IN (SELECT slot FROM candidate)
      AND ledger.state IN ('claimed', 'sent', 'unknown', 'confirmed')
), answered AS (
    -- The person's own open row is the ledger's to settle; another's may be on its way, and a second message is worse than none.
    SELECT member.person_id, written.slot
    FROM written
    JOIN marts.person_member AS member ON member.member_id = written.person_id
    WHERE written.state = 'confirmed' OR member.person_id <> member.member_id
    UNION
    SELECT candidate.person_id, candidate.slot
    FROM candidate
    JOIN written ON written.email = candidate.email AND written.slot = candidate.slot AND written.person_id <> candidate.person_id
), decision AS (
    SELECT candidate.person_id,
           CASE
               WHEN candidate.crm_id IS NULL THEN 'not_in_crm'
               WHEN candidate.email IS NULL THEN 'no_address'
               WHEN is_opted_out THEN 'opted_out'
               WHEN consent_status = 'denied' OR denial.person_id IS NOT NULL THEN 'consent_denied'
               WHEN refusing_address.email IS NOT NULL THEN 'opted_out_elsewhere'
               WHEN consent_status IS DISTINCT FROM 'granted' AND rule_basis <> 'opt_out' AND implied.deed IS NULL THEN 'no_opt_in'
               WHEN answered.person_id IS NOT NULL THEN 'already_sent_this_slot'
               WHEN address_rank > 1 THEN 'duplicate_address'
           END AS suppressed_reason,
           CASE
               WHEN consent_status = 'granted' THEN 'opt-in of ' || coalesce(to_char(consent_at AT TIME ZONE 'UTC', 'YYYY-MM-DD'), 'unknown date')
               WHEN rule_basis = 'opt_out' THEN 'no opt-out, and rule ' || rule_id || ' needs no opt-in'
               WHEN implied.deed IS NOT NULL THEN 'implied by ' || implied.deed || ', rule ' || rule_id
           END AS consent_basis,
           candidate.region, candidate.rule_id
    FROM candidate
    LEFT JOIN denial USING (person_id)
    LEFT JOIN implied USING (person_id)
    LEFT JOIN refusing_address ON refusing_address.email = candidate.email
    LEFT JOIN answered ON answered.person_id = candidate.person_id AND answered.slot = candidate.slot
)
UPDATE marts.audience AS audience
SET suppressed_reason = decision.suppressed_reason,
    consent_basis = CASE WHEN decision.suppressed_reason IS NULL THEN decision.consent_basis END,
    region = decision.region,
    consent_rule = decision.rule_id
FROM decision
WHERE audience.campaign = %(campaign)s AND audience.day = %(day)s::date AND audience.person_id = decision.person_id
