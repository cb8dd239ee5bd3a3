-- Further outputs of one night by kind and state, over all of its messages that the CRM confirmed.
-- Grain: one kind of output that any message of the night has, and one state. Reads ops.push_ledger, ops.push_output. Writes nothing.
-- Parameters: campaign, day (date).
WITH kind AS (
    SELECT DISTINCT output FROM ops.push_output WHERE campaign = %(campaign)s AND day = %(day)s::date
)
SELECT kind.output,
       CASE WHEN output.state IS NULL THEN 'none' WHEN output.state IN ('claimed', 'sent') THEN 'waiting' ELSE output.state END AS state,
       count(*)::int AS outputs
FROM ops.push_ledger AS ledger
CROSS JOIN kind
LEFT JOIN ops.push_output AS output
    ON output.campaign = ledger.campaign AND output.person_id = ledger.person_id AND output.slot = ledger.slot
    AND output.output = kind.output
WHERE ledger.campaign = %(campaign)s AND ledger.day = %(day)s::date AND ledger.state = 'confirmed'
GROUP BY 1, 2
ORDER BY 1, 2
