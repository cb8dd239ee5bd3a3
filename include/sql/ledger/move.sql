-- Move slots of this attempt to another state, each with its reason. A row that this attempt no longer holds, or that is not in
-- one of the states it may come from, stays as it is: that is the fence.
-- Grain: one slot of `person_ids`/`slots`/`reasons` (arrays of one length). Writes ops.push_ledger, returns what moved.
-- Parameters: campaign, token (uuid), state, from_states (text[]), next_token (uuid: differs from token to let go of the row),
-- person_ids, slots, reasons (text[]). A second run moves nothing.
UPDATE ops.push_ledger AS ledger
SET state = %(state)s, reason = moved.reason, claim_token = %(next_token)s::uuid, changed_at = clock_timestamp()
FROM unnest(%(person_ids)s::text[], %(slots)s::text[], %(reasons)s::text[]) AS moved (person_id, slot, reason)
WHERE ledger.campaign = %(campaign)s AND ledger.person_id = moved.person_id AND ledger.slot = moved.slot
  AND ledger.claim_token = %(token)s::uuid AND ledger.state = ANY (%(from_states)s::text[])
RETURNING ledger.person_id, ledger.slot
