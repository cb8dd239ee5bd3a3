-- Who may be written to, and on what basis; everyone else gets the first reason that applies. Fails closed.
-- A person answers for everyone whom the CRM merged into them, and for everyone else with the same address.
-- Grain: one person of one campaign's night. Reads marts.person, marts.person_member, staging.contacts, raw_hubspot.contacts,
-- ops.consent_event, ops.push_ledger. Writes marts.audience.
-- Parameters: campaign, day (date), opt_out_regions (text[]: writing needs no prior opt-in there). A second run gives the same result.
WITH candidate AS MATERIALIZED (
    SELECT audience.person_id, audience.slot, contact.crm_id, contact.email, contact.is_opted_out, contact.consent_status,
           contact.consent_at,
           split_part(coalesce(contact.region, ''), '-', 1) AS country,
           row_number() OVER (PARTITION BY contact.email ORDER BY contact.modified_at DESC, contact.crm_id) AS address_rank
    FROM marts.audience AS audience
    LEFT JOIN marts.person AS person USING (person_id)
    LEFT JOIN staging.contacts AS contact ON contact.crm_id = audience.crm_id AND contact.crm_id = person.crm_id
    WHERE audience.campaign = %(campaign)s AND audience.day = %(day)s::date
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
    SELECT ledger.person_id, ledger.slot, ledger.state, lower(btrim(delivered.email)) AS email
    FROM ops.push_ledger AS ledger
    LEFT JOIN raw_hubspot.contacts AS delivered USING (crm_id)
    WHERE ledger.campaign = %(campaign)s AND ledger.slot IN (SELECT slot FROM candidate)
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
               WHEN answered.person_id IS NOT NULL THEN 'already_sent_this_slot'
               WHEN candidate.email IS NULL THEN 'no_address'
               WHEN is_opted_out THEN 'opted_out'
               WHEN consent_status = 'denied' OR denial.person_id IS NOT NULL THEN 'consent_denied'
               WHEN refusing_address.email IS NOT NULL THEN 'opted_out_elsewhere'
               WHEN consent_status IS DISTINCT FROM 'granted' AND country <> ALL (%(opt_out_regions)s::text[]) THEN 'no_opt_in'
               WHEN address_rank > 1 THEN 'duplicate_address'
           END AS suppressed_reason,
           CASE
               WHEN consent_status = 'granted' THEN 'opt-in of ' || coalesce(to_char(consent_at AT TIME ZONE 'UTC', 'YYYY-MM-DD'), 'unknown date')
               WHEN country = ANY (%(opt_out_regions)s::text[]) THEN 'no opt-out, region ' || country
           END AS consent_basis
    FROM candidate
    LEFT JOIN denial USING (person_id)
    LEFT JOIN refusing_address ON refusing_address.email = candidate.email
    LEFT JOIN answered ON answered.person_id = candidate.person_id AND answered.slot = candidate.slot
)
UPDATE marts.audience AS audience
SET suppressed_reason = decision.suppressed_reason,
    consent_basis = CASE WHEN decision.suppressed_reason IS NULL THEN decision.consent_basis END
FROM decision
WHERE audience.campaign = %(campaign)s AND audience.day = %(day)s::date AND audience.person_id = decision.person_id
