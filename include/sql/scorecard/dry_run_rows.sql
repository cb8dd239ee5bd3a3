-- The first messages of a dry run with what would change on the contact; those that would be written first. Personal data.
-- Grain: one message, at most 200. Reads ops.dry_run. Writes nothing. Parameters: dag_id, run_id.
SELECT crm_id, slot, lane, outcome, reason, changes
FROM ops.dry_run
WHERE dag_id = %(dag_id)s AND run_id = %(run_id)s
ORDER BY outcome = 'written' DESC, person_id, lane
LIMIT 200
