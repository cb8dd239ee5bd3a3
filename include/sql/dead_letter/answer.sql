-- Keep what came of dead letters in one run, and what follows for them: mended and settled ones are resolved, given-up ones say
-- who gave them up and why.
-- Grain: one dead letter of `ids`/`outcomes`/`words` (arrays of one length). Writes ops.dead_letter_retry, ops.dead_letter.
-- Parameters: dag_id, run_id, asked_by, note, and the arrays. A second run changes nothing: an answer stands.
WITH answer AS (
    SELECT * FROM unnest(%(ids)s::bigint[], %(outcomes)s::text[], %(words)s::text[]) AS given (dead_letter_id, outcome, words)
), kept AS (
    UPDATE ops.dead_letter_retry AS retry
    SET outcome = answer.outcome, words = answer.words, ended_at = clock_timestamp()
    FROM answer
    WHERE retry.dead_letter_id = answer.dead_letter_id AND retry.dag_id = %(dag_id)s AND retry.run_id = %(run_id)s
      AND retry.ended_at IS NULL
    RETURNING retry.dead_letter_id, retry.outcome, retry.words
)
UPDATE ops.dead_letter AS letter
SET resolved_at = CASE WHEN kept.outcome <> 'given_up' THEN coalesce(letter.resolved_at, clock_timestamp()) ELSE letter.resolved_at END,
    resolution = CASE WHEN kept.outcome <> 'given_up' THEN kept.words ELSE letter.resolution END,
    given_up_at = CASE WHEN kept.outcome = 'given_up' THEN clock_timestamp() ELSE letter.given_up_at END,
    given_up_by = CASE WHEN kept.outcome = 'given_up' THEN %(asked_by)s ELSE letter.given_up_by END,
    given_up_note = CASE WHEN kept.outcome = 'given_up' THEN %(note)s ELSE letter.given_up_note END
FROM kept
WHERE letter.dead_letter_id = kept.dead_letter_id AND kept.outcome IN ('mended', 'settled', 'given_up')
