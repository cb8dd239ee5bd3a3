-- One night's outcome; "running" as long as it has not reported, from the moment when a gate has looked.
-- Grain: at most one row. Reads ops.run_report, ops.gate_result. Writes nothing. Binds dag_id, run_id.
SELECT day, outcome, report ->> 'reason' AS reason, report, made_at
FROM ops.run_report
WHERE dag_id = %(dag_id)s AND run_id = %(run_id)s
UNION ALL
SELECT max(day), 'running', NULL, '{}', max(checked_at)
FROM ops.gate_result
WHERE dag_id = %(dag_id)s AND run_id = %(run_id)s
    AND NOT EXISTS (SELECT FROM ops.run_report WHERE dag_id = %(dag_id)s AND run_id = %(run_id)s)
HAVING count(*) > 0
