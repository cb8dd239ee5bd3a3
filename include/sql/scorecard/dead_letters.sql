-- Dead letters of one source or of all, open ones before what was given up or resolved, each with the last answer to a retry.
-- Never the payload: it may be a row with somebody's name in it.
-- Grain: one dead letter, at most 200. Reads ops.dead_letter, ops.dead_letter_retry. Writes nothing.
-- Parameters: source (NULL: all), state (open | given up | resolved), dag_id and run_id (NULL: of any run).
SELECT letter.dead_letter_id, letter.source, letter.key, letter.field, letter.reason, letter.attempts, letter.payload_hash,
       letter.dag_id, letter.run_id, letter.first_seen_at, letter.last_seen_at, letter.resolved_at, letter.resolution,
       letter.given_up_at, letter.given_up_by, letter.given_up_note,
       retry.outcome, retry.words, retry.asked_by, retry.note, retry.ended_at
FROM ops.dead_letter AS letter
LEFT JOIN LATERAL (
    SELECT * FROM ops.dead_letter_retry AS asked
    WHERE asked.dead_letter_id = letter.dead_letter_id
    ORDER BY asked.asked_at DESC LIMIT 1
) AS retry ON true
WHERE (%(source)s::text IS NULL OR letter.source = %(source)s)
  AND (%(dag_id)s::text IS NULL OR letter.dag_id = %(dag_id)s) AND (%(run_id)s::text IS NULL OR letter.run_id = %(run_id)s)
  AND CASE %(state)s::text WHEN 'resolved' THEN letter.resolved_at IS NOT NULL
                           WHEN 'given up' THEN letter.resolved_at IS NULL AND letter.given_up_at IS NOT NULL
                           ELSE letter.resolved_at IS NULL AND letter.given_up_at IS NULL END
ORDER BY letter.dead_letter_id DESC
LIMIT 200
