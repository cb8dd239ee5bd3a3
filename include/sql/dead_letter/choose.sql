-- Note which dead letters a run of retry_dead_letters is about: open ones that meet every condition; those that no run chose yet, the
-- oldest first, then those that were chosen longest ago, so that letters which stay open never hide the others.
-- Grain: one dead letter of one run. Reads ops.dead_letter. Writes ops.dead_letter_retry.
-- Parameters: dag_id, run_id, asked_by, note, limit, and conditions that hold when they are not NULL: sources (text[]), ids (bigint[]),
-- older_than_days (by the warehouse's clock), reason_contains (plain text). What was given up is chosen by its id only.
-- A run that has chosen chooses no more.
INSERT INTO ops.dead_letter_retry (dead_letter_id, dag_id, run_id, asked_by, note)
SELECT dead_letter_id, %(dag_id)s, %(run_id)s, %(asked_by)s, %(note)s
FROM ops.dead_letter AS letter
WHERE resolved_at IS NULL
  AND (%(sources)s::text[] IS NULL OR source = ANY (%(sources)s::text[]))
  AND CASE WHEN %(ids)s::bigint[] IS NULL THEN given_up_at IS NULL ELSE dead_letter_id = ANY (%(ids)s::bigint[]) END
  AND (%(older_than_days)s::int IS NULL OR last_seen_at < clock_timestamp() - make_interval(days => %(older_than_days)s::int))
  AND (%(reason_contains)s::text IS NULL OR strpos(lower(reason), lower(%(reason_contains)s::text)) > 0)
  AND NOT EXISTS (SELECT FROM ops.dead_letter_retry WHERE dag_id = %(dag_id)s AND run_id = %(run_id)s)
ORDER BY (SELECT max(asked_at) FROM ops.dead_letter_retry AS earlier WHERE earlier.dead_letter_id = letter.dead_letter_id) NULLS FIRST,
         dead_letter_id
LIMIT %(limit)s::int
ON CONFLICT (dead_letter_id, dag_id, run_id) DO NOTHING
