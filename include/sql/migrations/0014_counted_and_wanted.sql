-- What contact policy counts, in one place: the step of the night and the question before every claim read it their own way
-- (audience/apply_contact_policy.sql all at once, ledger/withheld.sql through indexes), but mean the same.

-- Messages that somebody had, or may be having right now. One that an attempt claimed, never sent and let go (the token of nobody)
-- was had by no one.
CREATE VIEW ops.counted_message AS
SELECT campaign, person_id, slot, day, claimed_at
FROM ops.push_ledger
WHERE state IN ('claimed', 'sent', 'unknown', 'confirmed')
  AND NOT (state = 'claimed' AND claim_token = '00000000-0000-0000-0000-000000000000');

-- Whom a campaign's night wants: neither a dry run's audience nor one whose night stopped or failed after it was selected wants anybody.
CREATE VIEW marts.wanted_person AS
SELECT campaign, day, person_id
FROM marts.audience
WHERE suppressed_reason IS NULL AND consent_basis IS NOT NULL AND arm IS DISTINCT FROM 'none' AND NOT is_rehearsal
  AND NOT EXISTS (
      SELECT FROM ops.run_report AS report
      WHERE report.dag_id = audience.campaign AND report.day = audience.day AND report.made_at >= audience.selected_at
        AND report.outcome <> 'completed' AND report.report ->> 'kind' IS NULL);  -- a dry run or a test send reports nothing of the night

-- Why contact policy withholds a message, as a reason to count by and in words; NULL and NULL when it does not.
CREATE FUNCTION ops.withholding(
    list text, list_reason text, messages bigint, cap_messages integer, cap_days integer, goes_first text
) RETURNS TABLE (reason text, words text) LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT found.reason,
           CASE found.reason
               WHEN 'suppression_list' THEN 'on the suppression list ' || list || coalesce(': ' || list_reason, '')
               WHEN 'frequency_cap'
                   THEN format('had %s messages in the last %s days, of all campaigns; %s are the most', messages, cap_days, cap_messages)
               WHEN 'higher_priority_campaign' THEN format('%s goes first: it wants the person for the same night', goes_first)
           END
    FROM (
        SELECT CASE WHEN list IS NOT NULL THEN 'suppression_list'
                    WHEN messages >= cap_messages THEN 'frequency_cap'
                    WHEN goes_first IS NOT NULL THEN 'higher_priority_campaign' END AS reason
    ) AS found;
END;
