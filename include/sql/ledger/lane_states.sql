-- Where the messages of one lane of one night stand, seen from one attempt.
-- Grain: one line. Reads ops.message, ops.push_ledger. Writes nothing. Parameters: campaign, day (date), lane, token (uuid).
SELECT count(*) FILTER (WHERE ledger.state = 'confirmed' AND ledger.claim_token <> %(token)s::uuid) AS already_sent,
       count(*) FILTER (WHERE ledger.state IS NULL OR ledger.state IN ('claimed', 'sent')
                           OR (ledger.state = 'unknown' AND ledger.claim_token <> %(token)s::uuid)) AS waiting,
       count(*) FILTER (WHERE ledger.state = 'unknown' AND ledger.claim_token = %(token)s::uuid) AS unknown
FROM ops.message AS message
LEFT JOIN ops.push_ledger AS ledger USING (campaign, person_id, slot)
WHERE message.campaign = %(campaign)s AND message.day = %(day)s::date AND message.lane = %(lane)s
