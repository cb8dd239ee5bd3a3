-- Dead letters that a run chose and has no answer for yet.
-- Grain: one dead letter. Reads ops.dead_letter_retry, ops.dead_letter. Writes nothing. Parameters: dag_id, run_id.
SELECT letter.dead_letter_id, letter.source, letter.key, letter.field, letter.reason
FROM ops.dead_letter_retry AS retry
JOIN ops.dead_letter AS letter USING (dead_letter_id)
WHERE retry.dag_id = %(dag_id)s AND retry.run_id = %(run_id)s AND retry.ended_at IS NULL
ORDER BY letter.dead_letter_id
