-- Keeps what was decided on each piece that was shown, and on those that the form had no room for.
-- Grain: one piece of `copy_ids` (arrays of one length). Writes ops.approval. Parameters: campaign, day (date), copy_ids, decisions,
-- reasons, edited_copy_ids (text[]), reviewer, note, decided_at, run_id. A later decision on the same piece takes the place of an earlier one.
INSERT INTO ops.approval (campaign, day, copy_id, decision, reason, edited_copy_id, reviewer, note, decided_at, run_id)
SELECT %(campaign)s, %(day)s::date, decided.copy_id, decided.decision, decided.reason, decided.edited_copy_id,
       %(reviewer)s, %(note)s, %(decided_at)s, %(run_id)s
FROM unnest(%(copy_ids)s::text[], %(decisions)s::text[], %(reasons)s::text[], %(edited_copy_ids)s::text[])
    AS decided (copy_id, decision, reason, edited_copy_id)
ON CONFLICT (campaign, day, copy_id) DO UPDATE SET
    decision = excluded.decision, reason = excluded.reason, edited_copy_id = excluded.edited_copy_id,
    reviewer = excluded.reviewer, note = excluded.note, decided_at = excluded.decided_at, run_id = excluded.run_id
