-- Every message of one campaign's night by the state and reason of its slot; a message without a row is waiting.
-- Grain: one state and reason. Reads ops.message, ops.push_ledger. Writes nothing. Parameters: campaign, day (date).
SELECT CASE WHEN ledger.state IS NULL OR ledger.state IN ('claimed', 'sent') THEN 'waiting' ELSE ledger.state END AS state,
       coalesce(ledger.reason, 'not claimed yet') AS reason,
       count(*)::int AS messages
FROM ops.message AS message
LEFT JOIN ops.push_ledger AS ledger USING (campaign, person_id, slot)
WHERE message.campaign = %(campaign)s AND message.day = %(day)s::date
GROUP BY 1, 2
ORDER BY 1, 2
