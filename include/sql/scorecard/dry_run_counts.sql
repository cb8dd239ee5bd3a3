-- What a dry run would have done, by outcome, reason and lane; the most frequent first.
-- Grain: one outcome and reason. Reads ops.dry_run. Writes nothing. Parameters: dag_id, run_id.
SELECT outcome, reason, lane, count(*) AS people, min(made_at) AS made_at
FROM ops.dry_run
WHERE dag_id = %(dag_id)s AND run_id = %(run_id)s
GROUP BY outcome, reason, lane
ORDER BY outcome = 'written' DESC, people DESC, reason, lane
