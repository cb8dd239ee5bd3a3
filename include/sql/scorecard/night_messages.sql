-- The messages of one campaign's night: what went out or waits, for how many people, and why static copy stands in for another piece.
-- Grain: one message in one state, at most 100, the most widely used first. Reads ops.message, ops.push_ledger, ops.copy. Writes nothing.
-- Binds campaign, day.
SELECT coalesce(ledger.message_id, message.message_id) AS message_id, copy.template_id || '@v' || copy.template_version AS template,
       copy.origin, copy.model, message.lane, coalesce(ledger.state, 'not claimed yet') AS state, ledger.fallback_reason,
       count(*) AS people
FROM ops.message AS message
LEFT JOIN ops.push_ledger AS ledger USING (campaign, person_id, slot)
JOIN ops.copy AS copy ON copy.copy_id = coalesce(ledger.copy_id, message.copy_id)
WHERE message.campaign = %(campaign)s AND message.day = %(day)s::date
GROUP BY 1, 2, 3, 4, 5, 6, 7
ORDER BY people DESC, 1, state
LIMIT 100
