-- Note which dead letters a run of retry_dead_letters is about: open ones that meet every condition, the oldest first.
-- Grain: one dead letter of one run. Reads ops.dead_letter. Writes ops.dead_letter_retry.
-- Parameters: dag_id, run_id, asked_by, note, limit, and conditions that hold when they are not NULL: source, ids (bigint[]),
-- older_than_days (by the warehouse's clock), reason_contains (plain text). What was given up is chosen by its id only.
-- A run that has chosen chooses no more.
INSERT INTO ops.dead_letter_retry (dead_letter_id, dag_id, run_id, asked_by, note)
SELECT dead_letter_id, %(dag_id)s, %(run_id)s, %(asked_by)s, %(note)s
FROM ops.dead_letter
WHERE resolved_at IS NULL
  AND (%(source)s::text IS NULL OR source = %(source)s)
  AND CASE WHEN %(ids)s::bigint[] IS NULL THEN given_up_at IS NULL ELSE dead_letter_id = ANY (%(ids)s::bigint[]) END
  AND (%(older_than_days)s::int IS NULL OR last_seen_at < clock_timestamp() - make_interval(days => %(older_than_days)s::int))
  AND (%(reason_contains)s::text IS NULL OR strpos(lower(reason), lower(%(reason_contains)s::text)) > 0)
  AND NOT EXISTS (SELECT FROM ops.dead_letter_retry WHERE dag_id = %(dag_id)s AND run_id = %(run_id)s)
ORDER BY dead_letter_id
LIMIT %(limit)s::int
ON CONFLICT (dead_letter_id, dag_id, run_id) DO NOTHING
