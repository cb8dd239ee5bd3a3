-- Outputs whose attempt is gone after the request went out become this attempt's, to be looked up in the CRM.
-- Grain: one open output of a campaign, of any night. Writes ops.push_output. Parameters: campaign, output, token (uuid), abandoned
-- (uuid[]). changed_at keeps the moment of sending, from which the wait before a second writing is counted. A second run takes nothing.
UPDATE ops.push_output
SET state = 'unknown', claim_token = %(token)s::uuid,
    reason = 'the attempt that sent it ended before it saw the answer; to be looked up by its key'
WHERE state IN ('sent', 'unknown') AND campaign = %(campaign)s AND output = %(output)s AND claim_token = ANY (%(abandoned)s::uuid[])
