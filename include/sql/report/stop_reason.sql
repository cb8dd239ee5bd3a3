-- Why a gate stopped this run, in one sentence for each failed check; no row when none did.
-- Grain: one run. Reads ops.gate_result. Writes nothing. Parameters: dag_id, run_id.
SELECT string_agg(gate || ': ' || detail, ' ' ORDER BY gate, check_name) AS reason
FROM ops.gate_result
WHERE dag_id = %(dag_id)s AND run_id = %(run_id)s AND status = 'fail'
HAVING count(*) > 0
