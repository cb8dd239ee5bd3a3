-- Keeps what apply_consent.sql decided a moment ago, each decision with its basis in words.
-- Grain: one person of one campaign's night whose decision is new or differs from the last one kept of that night and person.
-- Reads marts.audience, ops.consent_decision. Writes ops.consent_decision. Parameters: campaign, day (date), run_id.
-- A second run inserts only what changed. Compared as sets, for the table grows while it is read.
WITH decided AS (
    SELECT audience.campaign, audience.person_id, audience.slot, audience.day, audience.suppressed_reason IS NULL AS is_allowed,
           audience.region, audience.consent_rule AS rule,
           CASE audience.suppressed_reason
               WHEN 'not_in_crm' THEN 'no living CRM contact'
               WHEN 'already_sent_this_slot' THEN 'has the message of this slot'
               WHEN 'no_address' THEN 'no usable e-mail address'
               WHEN 'opted_out' THEN 'opted out in the CRM'
               WHEN 'consent_denied' THEN 'consent denied or withdrawn'
               WHEN 'opted_out_elsewhere' THEN 'another contact of the same address opted out or denied consent'
               WHEN 'no_opt_in' THEN 'no opt-in, and rule ' || audience.consent_rule || ' needs one'
               WHEN 'duplicate_address' THEN 'another contact of the same address is written to'
               ELSE coalesce(audience.consent_basis, audience.suppressed_reason)
           END AS basis
    FROM marts.audience AS audience
    WHERE audience.campaign = %(campaign)s AND audience.day = %(day)s::date
), kept AS (
    SELECT DISTINCT ON (person_id) campaign, person_id, slot, day, is_allowed, region, rule, basis
    FROM ops.consent_decision
    WHERE campaign = %(campaign)s AND day = %(day)s::date AND stage = 'audience'
    ORDER BY person_id, consent_decision_id DESC
), news AS (
    SELECT campaign, person_id, slot, day, is_allowed, region, rule, basis FROM decided
    EXCEPT
    SELECT campaign, person_id, slot, day, is_allowed, region, rule, basis FROM kept
)
INSERT INTO ops.consent_decision (campaign, person_id, slot, day, stage, is_allowed, region, rule, basis, run_id)
SELECT campaign, person_id, slot, day, 'audience', is_allowed, region, rule, basis, %(run_id)s
FROM news
ORDER BY person_id
