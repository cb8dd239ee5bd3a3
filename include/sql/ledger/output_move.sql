-- Move outputs of this attempt to another state, each with its reason. A row that this attempt no longer holds, or that is not in
-- one of the states it may come from, stays as it is: that is the fence. What is settled by this needs nobody's attention any
-- more: its dead letter is resolved.
-- Grain: one output of `keys`/`reasons`/`record_ids` (arrays of one length; a record id may be NULL). Writes ops.push_output,
-- ops.dead_letter; returns the keys of what moved. Parameters: campaign, output, token (uuid), state, from_states (text[]),
-- next_token (uuid: differs from token to let go of the row), is_settled (bool), letter_source. A second run moves nothing.
WITH moved AS (
    UPDATE ops.push_output AS output
    SET state = %(state)s, reason = given.reason, record_id = coalesce(given.record_id, output.record_id),
        claim_token = %(next_token)s::uuid, changed_at = clock_timestamp()
    FROM unnest(%(keys)s::text[], %(reasons)s::text[], %(record_ids)s::text[]) AS given (output_key, reason, record_id)
    WHERE output.output_key = given.output_key AND output.campaign = %(campaign)s AND output.output = %(output)s
      AND output.claim_token = %(token)s::uuid AND output.state = ANY (%(from_states)s::text[])
    RETURNING output.output_key, output.person_id, output.slot
), resolved AS (
    UPDATE ops.dead_letter AS letter
    SET resolved_at = clock_timestamp()
    FROM moved
    WHERE %(is_settled)s AND letter.source = %(letter_source)s AND letter.resolved_at IS NULL
      AND letter.key = %(campaign)s || '/' || moved.person_id || '/' || moved.slot
)
SELECT output_key FROM moved
