-- Messages of the person that were not delivered yet never will be. A row that an attempt holds is taken from it, so that what the
-- attempt has to say of it comes to nothing; of a night that has not chosen copy yet the person is left out. Nobody needs to mend what
-- is left in the dead letters.
-- Grain: one message. Reads ops.privacy_subject, ops.message. Writes ops.push_ledger, ops.push_output, marts.audience, ops.dead_letter.
-- Parameters: request_id. A second run changes nothing.
WITH person AS (
    SELECT value AS person_id FROM ops.privacy_subject WHERE request_id = %(request_id)s AND kind = 'person_id'
), left_out AS (
    UPDATE marts.audience AS audience
    SET suppressed_reason = 'erased', consent_basis = NULL
    WHERE audience.person_id IN (SELECT person_id FROM person) AND audience.suppressed_reason IS NULL
      AND NOT EXISTS (SELECT FROM ops.message WHERE message.campaign = audience.campaign AND message.day = audience.day
                                                AND message.person_id = audience.person_id)
      AND NOT EXISTS (SELECT FROM ops.push_ledger AS ledger WHERE ledger.campaign = audience.campaign
                                                AND ledger.person_id = audience.person_id AND ledger.slot = audience.slot)
), letters AS (
    UPDATE ops.dead_letter
    SET resolved_at = clock_timestamp(), resolution = 'the person was erased'
    WHERE resolved_at IS NULL
      AND (source = 'crm.push' AND split_part(key, '/', 2) IN (SELECT person_id FROM person)
           OR source = 'hubspot.contacts' AND key IN (SELECT value FROM ops.privacy_subject
                                                      WHERE request_id = %(request_id)s AND kind = 'crm_id'))
), taken_output AS (
    UPDATE ops.push_output
    SET state = 'suppressed', claim_token = '00000000-0000-0000-0000-000000000000', changed_at = clock_timestamp(),
        reason = 'erased: the person asked for it'
    WHERE person_id IN (SELECT person_id FROM person) AND state IN ('claimed', 'sent', 'unknown', 'rejected')
), taken AS (
    UPDATE ops.push_ledger
    SET state = 'suppressed', claim_token = '00000000-0000-0000-0000-000000000000', changed_at = clock_timestamp(),
        reason = 'erased: the person asked for it'
            || CASE WHEN state IN ('sent', 'unknown') THEN '; whether it had been written was not known' ELSE '' END
    WHERE person_id IN (SELECT person_id FROM person) AND state IN ('claimed', 'sent', 'unknown', 'rejected')
)
INSERT INTO ops.push_ledger (campaign, person_id, slot, state, reason, crm_id, message_id, copy_id, day, claim_token, run_id)
SELECT DISTINCT ON (message.campaign, message.person_id, message.slot)
       message.campaign, message.person_id, message.slot, 'suppressed', 'erased: the person asked for it', audience.crm_id,
       message.message_id, message.copy_id, message.day, '00000000-0000-0000-0000-000000000000', 'privacy_request'
FROM ops.message AS message
JOIN person USING (person_id)
JOIN marts.audience AS audience USING (campaign, day, person_id)
ORDER BY message.campaign, message.person_id, message.slot, message.day DESC
ON CONFLICT (campaign, person_id, slot) DO NOTHING
