-- Who may be written to, and on what basis; everyone else gets the first reason that applies. Fails closed.
-- Grain: one person of one campaign's night. Reads staging.contacts, ops.consent_event, ops.push_ledger. Writes marts.audience.
-- Parameters: campaign, day (date), opt_out_regions (text[]: writing needs no prior opt-in there). A second run gives the same result.
WITH candidate AS (
    SELECT audience.person_id, contact.*,
           split_part(coalesce(contact.region, ''), '-', 1) AS country,
           last_event.status AS last_consent_event,
           row_number() OVER (PARTITION BY contact.email ORDER BY contact.modified_at DESC, contact.crm_id) AS address_rank,
           ledger.state AS ledger_state
    FROM marts.audience AS audience
    LEFT JOIN staging.contacts AS contact ON contact.crm_id = audience.crm_id
    LEFT JOIN LATERAL (
        SELECT event.status FROM ops.consent_event AS event
        WHERE event.person_id = audience.person_id
        ORDER BY event.happened_at DESC, event.consent_event_id DESC LIMIT 1
    ) AS last_event ON true
    LEFT JOIN ops.push_ledger AS ledger
        ON ledger.campaign = audience.campaign AND ledger.person_id = audience.person_id AND ledger.slot = audience.slot
    WHERE audience.campaign = %(campaign)s AND audience.day = %(day)s::date
), decision AS (
    SELECT person_id,
           CASE
               WHEN crm_id IS NULL THEN 'not_in_crm'
               WHEN ledger_state = 'confirmed' THEN 'already_sent_this_slot'
               WHEN email IS NULL THEN 'no_address'
               WHEN is_opted_out THEN 'opted_out'
               WHEN consent_status = 'denied' OR last_consent_event = 'denied' THEN 'consent_denied'
               WHEN consent_status IS DISTINCT FROM 'granted' AND country <> ALL (%(opt_out_regions)s::text[]) THEN 'no_opt_in'
               WHEN address_rank > 1 THEN 'duplicate_address'
           END AS suppressed_reason,
           CASE
               WHEN consent_status = 'granted' THEN 'opt-in of ' || coalesce(to_char(consent_at AT TIME ZONE 'UTC', 'YYYY-MM-DD'), 'unknown date')
               WHEN country = ANY (%(opt_out_regions)s::text[]) THEN 'no opt-out, region ' || country
           END AS consent_basis
    FROM candidate
)
UPDATE marts.audience AS audience
SET suppressed_reason = decision.suppressed_reason,
    consent_basis = CASE WHEN decision.suppressed_reason IS NULL THEN decision.consent_basis END
FROM decision
WHERE audience.campaign = %(campaign)s AND audience.day = %(day)s::date AND audience.person_id = decision.person_id
