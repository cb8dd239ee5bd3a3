-- Slots of one lane of one night that nobody has settled and no running attempt holds: what a push walks through.
-- Grain: one message, by person_id. Reads ops.message, ops.push_ledger. Writes nothing.
-- Parameters: campaign, lane, day (date), token (uuid of this attempt), abandoned (uuid[]: tokens of attempts that are gone),
-- only (text[]: person ids; NULL: everybody).
-- Sent, unknown, confirmed and suppressed slots are never candidates; a claimed one only when its attempt is gone, a rejected one
-- only when an earlier attempt saw the rejection; a superseded one likewise, unless it was a later night's.
-- Whether the person got it under another id is decided by claim.sql.
SELECT message.person_id, message.slot
FROM ops.message AS message
LEFT JOIN ops.push_ledger AS ledger
    ON ledger.campaign = message.campaign AND ledger.person_id = message.person_id AND ledger.slot = message.slot
WHERE message.campaign = %(campaign)s AND message.day = %(day)s::date AND message.lane = %(lane)s
  AND (%(only)s::text[] IS NULL OR message.person_id = ANY (%(only)s::text[]))
  AND (ledger.state IS NULL
       OR (ledger.state = 'claimed' AND ledger.claim_token = ANY (%(abandoned)s::uuid[]))
       OR (ledger.state = 'rejected' AND ledger.claim_token <> %(token)s::uuid)
       OR (ledger.state = 'superseded' AND ledger.claim_token <> %(token)s::uuid AND ledger.day <= message.day))
ORDER BY message.person_id
