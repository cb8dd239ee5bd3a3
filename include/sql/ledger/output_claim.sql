-- Take outputs of one kind for one attempt: the row is the right to write, and only one attempt gets it. Only a message that the
-- CRM confirmed has further outputs, and only until it is as old as the campaign's freshness.
-- Grain: one output of a message that this attempt got, by person_id and slot after (after_person, after_slot); at most `rows`.
-- Reads ops.push_ledger, ops.copy, ops.privacy_subject, staging.contacts. Writes ops.push_output. Parameters: campaign, day (date), output, run_id,
-- token (uuid of this attempt), abandoned (uuid[]: tokens of attempts that are gone), freshness_days (int), only (text[]: person ids;
-- NULL: everybody), after_person, after_slot, rows (int). To be run under a lock of its own, so that no rows after ('', '') means that
-- none are left. A claim reads no more of the night than it takes: the index push_ledger_night has the order, and each message's output
-- is looked up for itself. Without that, and from the start each time, a night would cost the square of its messages.
-- Sent, unknown, confirmed and suppressed outputs are never taken; a claimed one only when its attempt is gone, a rejected one only
-- when an earlier attempt saw the rejection. A second run with the same token takes the next ones.
WITH candidate AS (
    SELECT ledger.campaign, ledger.person_id, ledger.slot, ledger.day, ledger.crm_id, ledger.copy_id, ledger.changed_at,
           output.claim_token AS seen_token
    FROM ops.push_ledger AS ledger
    LEFT JOIN LATERAL (
        SELECT state, claim_token FROM ops.push_output
        WHERE push_output.campaign = ledger.campaign AND push_output.person_id = ledger.person_id AND push_output.slot = ledger.slot
          AND push_output.output = %(output)s
        OFFSET 0
    ) AS output ON true
    WHERE ledger.campaign = %(campaign)s AND ledger.day = %(day)s::date AND ledger.state = 'confirmed'
      AND (ledger.person_id, ledger.slot) > (%(after_person)s, %(after_slot)s)
      AND ledger.changed_at > clock_timestamp() - make_interval(days => %(freshness_days)s::int)
      AND (%(only)s::text[] IS NULL OR ledger.person_id = ANY (%(only)s::text[]))
      AND NOT starts_with(ledger.crm_id, 'erased_')  -- nor of one who is being erased right now
      AND NOT EXISTS (SELECT FROM ops.privacy_subject AS leaving JOIN ops.privacy_request AS request USING (request_id)
                      WHERE leaving.kind = 'person_id' AND leaving.value = ledger.person_id AND request.action = 'erase')
      AND (output.state IS NULL
           OR (output.state = 'claimed' AND output.claim_token = ANY (%(abandoned)s::uuid[]))
           OR (output.state = 'rejected' AND output.claim_token <> %(token)s::uuid))
    ORDER BY ledger.person_id, ledger.slot
    LIMIT %(rows)s
), fresh AS (
    INSERT INTO ops.push_output (campaign, person_id, slot, output, state, reason, output_key, day, claim_token, run_id)
    SELECT campaign, person_id, slot, %(output)s, 'claimed', 'claimed, not sent yet',
           encode(sha256(convert_to(concat_ws(E'\n', campaign, person_id, slot, %(output)s), 'UTF8')), 'hex'),
           day, %(token)s::uuid, %(run_id)s
    FROM candidate
    WHERE seen_token IS NULL
    ON CONFLICT (campaign, person_id, slot, output) DO NOTHING
    RETURNING person_id, slot, output_key
), again AS (
    UPDATE ops.push_output AS output
    SET state = 'claimed', reason = 'claimed again, not sent yet; before: ' || regexp_replace(output.reason, '^.*; before: ', ''),
        claim_token = %(token)s::uuid, run_id = %(run_id)s, attempts = output.attempts + 1,
        claimed_at = clock_timestamp(), changed_at = clock_timestamp()
    FROM candidate
    WHERE output.campaign = candidate.campaign AND output.person_id = candidate.person_id AND output.slot = candidate.slot
      AND output.output = %(output)s AND output.claim_token = candidate.seen_token AND output.state IN ('claimed', 'rejected')
    RETURNING output.person_id, output.slot, output.output_key
)
SELECT mine.person_id, mine.slot, mine.output_key AS key, candidate.crm_id, candidate.changed_at AS confirmed_at,
       copy.template_id || '@v' || copy.template_version AS template, copy.output AS parts,
       jsonb_build_object('first_name', contact.first_name, 'last_name', contact.last_name, 'company', contact.company,
                          'job_title', contact.job_title, 'persona', contact.persona, 'industry', contact.industry
       ) AS placeholder_values,
       ARRAY (SELECT twin.crm_id FROM staging.contacts AS twin WHERE twin.email = contact.email AND twin.crm_id <> contact.crm_id
              ORDER BY twin.crm_id) AS twin_crm_ids
FROM (SELECT * FROM fresh UNION ALL SELECT * FROM again) AS mine
JOIN candidate USING (person_id, slot)
JOIN ops.copy AS copy USING (copy_id)
LEFT JOIN staging.contacts AS contact ON contact.crm_id = candidate.crm_id
ORDER BY mine.person_id, mine.slot
