-- Rows whose attempt is gone after the request went out become this attempt's, to be settled by reading the CRM back.
-- Grain: one open slot of a campaign, of any day and lane. Writes ops.push_ledger.
-- Parameters: campaign, token (uuid), abandoned (uuid[]). changed_at keeps the moment of sending, from which the wait before a
-- second sending is counted. A second run takes nothing.
UPDATE ops.push_ledger
SET state = 'unknown', claim_token = %(token)s::uuid,
    reason = 'the attempt that sent it ended before it saw the answer; to be read back'
WHERE state IN ('sent', 'unknown') AND campaign = %(campaign)s AND claim_token = ANY (%(abandoned)s::uuid[])
