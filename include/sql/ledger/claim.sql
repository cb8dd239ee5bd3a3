-- Take slots for one attempt: the row in the ledger is the right to send, and only one attempt gets it.
-- Grain: one slot of `person_ids` that this attempt got, in the order of person_id.
-- Reads ops.message, ops.approval, ops.copy, marts.audience, marts.person, staging.contacts, ops.consent_event, ops.push_ledger.
-- Writes ops.push_ledger. Parameters: campaign, lane, day (date), run_id, token (uuid of this attempt), abandoned (uuid[]: tokens
-- of attempts that are gone), person_ids (text[]).
-- A slot without a row is claimed; a row is claimed again only under the conditions of candidates.sql, and only when it is still
-- as it was seen. A second run with the same token claims nothing.
WITH candidate AS (
    SELECT message.campaign, message.day, message.person_id, message.slot,
           chosen.copy_id,
           -- Rejected or unanswered copy is replaced by static copy, which is a message of its own.
           CASE WHEN chosen.copy_id = message.copy_id THEN message.message_id
                ELSE encode(sha256(convert_to(concat_ws(E'\n', message.campaign, message.slot, chosen.copy_id), 'UTF8')), 'hex')
           END AS message_id,
           coalesce(person.crm_id, audience.crm_id) AS crm_id,
           CASE
               WHEN person.merged_into IS NOT NULL THEN 'merged into another person, who has slots of their own'
               WHEN person.crm_id IS NULL THEN 'no living CRM contact'
               WHEN audience.suppressed_reason IS NOT NULL THEN 'not in the audience any more: ' || audience.suppressed_reason
               WHEN last_event.status = 'denied' THEN 'consent was withdrawn (ops.consent_event)'
           END AS blocked,
           ledger.claim_token AS seen_token
    FROM unnest(%(person_ids)s::text[]) AS wanted (person_id)
    JOIN ops.message AS message USING (person_id)
    JOIN marts.audience AS audience USING (campaign, day, person_id)
    JOIN marts.person AS person USING (person_id)
    LEFT JOIN ops.push_ledger AS ledger
        ON ledger.campaign = message.campaign AND ledger.person_id = message.person_id AND ledger.slot = message.slot
    LEFT JOIN ops.approval AS approval
        ON approval.campaign = message.campaign AND approval.day = message.day AND approval.copy_id = message.copy_id
    CROSS JOIN LATERAL (
        SELECT CASE WHEN message.lane = 'ready' OR approval.decision = 'approved' THEN message.copy_id
                    ELSE message.fallback_copy_id END AS copy_id
    ) AS chosen
    LEFT JOIN LATERAL (
        SELECT event.status FROM ops.consent_event AS event
        WHERE event.person_id = message.person_id
        ORDER BY event.happened_at DESC, event.consent_event_id DESC LIMIT 1
    ) AS last_event ON true
    WHERE message.campaign = %(campaign)s AND message.day = %(day)s::date AND message.lane = %(lane)s
      AND (ledger.state IS NULL
           OR (ledger.state = 'claimed' AND ledger.claim_token = ANY (%(abandoned)s::uuid[]))
           OR (ledger.state = 'rejected' AND ledger.claim_token <> %(token)s::uuid))
    ORDER BY message.person_id
), fresh AS (
    INSERT INTO ops.push_ledger (campaign, person_id, slot, state, reason, crm_id, message_id, copy_id, day, claim_token, run_id)
    SELECT campaign, person_id, slot, 'claimed', 'claimed, not sent yet', crm_id, message_id, copy_id, day,
           %(token)s::uuid, %(run_id)s
    FROM candidate
    WHERE seen_token IS NULL
    ON CONFLICT (campaign, person_id, slot) DO NOTHING
    RETURNING person_id
), again AS (
    UPDATE ops.push_ledger AS ledger
    SET state = 'claimed', reason = 'claimed again, not sent yet; before: ' || regexp_replace(ledger.reason, '^.*; before: ', ''),
        crm_id = candidate.crm_id,
        message_id = candidate.message_id, copy_id = candidate.copy_id, day = candidate.day, claim_token = %(token)s::uuid,
        run_id = %(run_id)s, attempts = ledger.attempts + 1, claimed_at = clock_timestamp(), changed_at = clock_timestamp()
    FROM candidate
    WHERE ledger.campaign = candidate.campaign AND ledger.person_id = candidate.person_id AND ledger.slot = candidate.slot
      AND ledger.claim_token = candidate.seen_token AND ledger.state IN ('claimed', 'rejected')
    RETURNING ledger.person_id
)
SELECT candidate.person_id, candidate.slot, candidate.crm_id, candidate.message_id, candidate.blocked,
       copy.template_id || '@v' || copy.template_version AS template,
       copy.output,
       jsonb_build_object('first_name', contact.first_name, 'last_name', contact.last_name, 'company', contact.company,
                          'job_title', contact.job_title, 'persona', contact.persona, 'industry', contact.industry
       ) AS placeholder_values,
       contact.region
FROM (SELECT person_id FROM fresh UNION ALL SELECT person_id FROM again) AS mine
JOIN candidate USING (person_id)
JOIN ops.copy AS copy USING (copy_id)
LEFT JOIN staging.contacts AS contact ON contact.crm_id = candidate.crm_id
ORDER BY candidate.person_id
