-- Move outputs of this attempt to another state, each with its reason. A row that this attempt no longer holds, or that is not in
-- one of the states it may come from, stays as it is: that is the fence. The dead letter of what is settled by this is resolved
-- at the end of the night (dead_letter/settle.sql).
-- Grain: one output of `keys`/`reasons`/`record_ids` (arrays of one length; a record id may be NULL). Writes ops.push_output;
-- returns the keys of what moved. Parameters: campaign, output, token (uuid), state, from_states (text[]), next_token (uuid:
-- differs from token to let go of the row). A second run moves nothing.
UPDATE ops.push_output AS output
SET state = %(state)s, reason = given.reason, record_id = coalesce(given.record_id, output.record_id),
    claim_token = %(next_token)s::uuid, changed_at = clock_timestamp()
FROM unnest(%(keys)s::text[], %(reasons)s::text[], %(record_ids)s::text[]) AS given (output_key, reason, record_id)
WHERE output.output_key = given.output_key AND output.campaign = %(campaign)s AND output.output = %(output)s
  AND output.claim_token = %(token)s::uuid AND output.state = ANY (%(from_states)s::text[])
RETURNING output.output_key
