-- The latest nights, newest first, each with its outcome and how its checks ended; "running" before it reported.
-- Grain: one run, at most 200. Reads ops.run_report, ops.gate_result. Writes nothing. No parameters.
WITH gate AS (
    SELECT
        dag_id, run_id, max(day) AS day, max(checked_at) AS checked_at,
        count(*) FILTER (WHERE status = 'pass') AS passed,
        count(*) FILTER (WHERE status = 'warn') AS warned,
        count(*) FILTER (WHERE status IN ('fail', 'error')) AS failed
    FROM ops.gate_result
    GROUP BY dag_id, run_id
)
SELECT
    dag_id, run_id, coalesce(run.day, gate.day) AS day, coalesce(run.outcome, 'running') AS outcome,
    run.report ->> 'reason' AS reason, coalesce(run.made_at, gate.checked_at) AS made_at,
    coalesce(gate.passed, 0) AS passed, coalesce(gate.warned, 0) AS warned, coalesce(gate.failed, 0) AS failed
FROM ops.run_report AS run
FULL JOIN gate USING (dag_id, run_id)
ORDER BY made_at DESC
LIMIT 200
