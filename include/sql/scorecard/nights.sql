-- The latest nights, newest first, each with its outcome and how its checks ended.
-- Grain: one run, at most 200. Reads ops.run_report, ops.gate_result. Writes nothing. No parameters.
SELECT
    run.dag_id, run.run_id, run.day, run.outcome, run.report ->> 'reason' AS reason, run.made_at,
    count(gate.check_name) FILTER (WHERE gate.status = 'pass') AS passed,
    count(gate.check_name) FILTER (WHERE gate.status = 'warn') AS warned,
    count(gate.check_name) FILTER (WHERE gate.status IN ('fail', 'error')) AS failed
FROM ops.run_report AS run
LEFT JOIN ops.gate_result AS gate USING (dag_id, run_id)
GROUP BY run.dag_id, run.run_id
ORDER BY run.made_at DESC
LIMIT 200
