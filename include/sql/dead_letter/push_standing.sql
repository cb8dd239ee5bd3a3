-- Where the messages of dead letters stand, and what a push of them needs to know.
-- Grain: one dead letter of the source crm.push of `ids`, by id. Reads ops.dead_letter, ops.push_ledger, ops.message, ops.approval,
-- ops.trusted_day, marts.person. Writes nothing. Parameters: ids (bigint[]).
-- The night is the one that the ledger's row is of: the last that reached for the slot.
WITH letter AS (
    SELECT dead_letter_id, split_part(key, '/', 1) AS campaign, split_part(key, '/', 2) AS person_id,
           substr(key, length(split_part(key, '/', 1)) + length(split_part(key, '/', 2)) + 3) AS slot
    FROM ops.dead_letter
    WHERE source = 'crm.push' AND dead_letter_id = ANY (%(ids)s::bigint[])
)
SELECT letter.dead_letter_id, letter.campaign, letter.person_id, ledger.state, ledger.reason, coalesce(ledger.attempts, 0) AS attempts,
       ledger.day::text AS day, message.lane,
       message.lane = 'approval' AND NOT EXISTS (
           SELECT FROM ops.approval
           WHERE approval.campaign = message.campaign AND approval.day = message.day AND approval.copy_id = message.copy_id
       ) AS is_undecided,
       CASE WHEN trusted.status = 'stopped' THEN coalesce(trusted.reason, 'no reason is kept') END AS stopped
FROM letter
LEFT JOIN ops.push_ledger AS ledger USING (campaign, person_id, slot)
LEFT JOIN ops.message AS message
    ON message.campaign = letter.campaign AND message.day = ledger.day AND message.person_id = letter.person_id
    AND message.slot = letter.slot
LEFT JOIN ops.trusted_day AS trusted ON trusted.day = ledger.day
ORDER BY letter.dead_letter_id
