-- Move slots of this attempt to another state, each with its reason. A row that this attempt no longer holds, or that is not in
-- one of the states it may come from, stays as it is: that is the fence. A decision over consent that moves a message is kept
-- with the move. The dead letters of what is settled by this are resolved at the end of the night (dead_letter/settle.sql).
-- Grain: one slot of `person_ids`/`slots`/`reasons` (arrays of one length). Writes ops.push_ledger, ops.consent_decision; returns
-- what moved. Parameters: campaign, day (date), run_id, token (uuid), state, from_states (text[]), next_token (uuid: differs from
-- token to let go of the row), person_ids, slots, reasons (text[]), and of the decisions (arrays of one length, or empty)
-- decided_persons, decided_slots, allowed (bool[]), regions, rules, bases. A second run moves nothing.
WITH given AS MATERIALIZED (  -- with the campaign: each row is looked up by its whole key, whatever the planner thinks of campaigns
    SELECT %(campaign)s AS campaign, person_id, slot, reason
    FROM unnest(%(person_ids)s::text[], %(slots)s::text[], %(reasons)s::text[]) AS row (person_id, slot, reason)
), moved AS (
    UPDATE ops.push_ledger AS ledger
    SET state = %(state)s, reason = given.reason, claim_token = %(next_token)s::uuid, changed_at = clock_timestamp()
    FROM given
    WHERE ledger.campaign = given.campaign AND ledger.person_id = given.person_id AND ledger.slot = given.slot
      AND ledger.claim_token = %(token)s::uuid AND ledger.state = ANY (%(from_states)s::text[])
    RETURNING ledger.person_id, ledger.slot
), kept AS (
    INSERT INTO ops.consent_decision (campaign, person_id, slot, day, stage, is_allowed, region, rule, basis, run_id)
    SELECT %(campaign)s, moved.person_id, moved.slot, %(day)s::date, 'push', decided.is_allowed, decided.region, decided.rule,
           decided.basis, %(run_id)s
    FROM moved
    JOIN unnest(%(decided_persons)s::text[], %(decided_slots)s::text[], %(allowed)s::boolean[], %(regions)s::text[],
                %(rules)s::text[], %(bases)s::text[]) AS decided (person_id, slot, is_allowed, region, rule, basis)
        USING (person_id, slot)
)
SELECT person_id, slot FROM moved
