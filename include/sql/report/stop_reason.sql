-- Why a gate stopped this run, in one sentence for each check that failed or could not be evaluated; no row when none did.
-- A missing day comes first, as it may be behind the rest.
-- Grain: one run. Reads ops.gate_result. Writes nothing. Parameters: dag_id, run_id, not_run (text[]: steps that
-- this attempt of the run did not reach, and whose results are therefore of an earlier one).
SELECT string_agg(gate || ': ' || detail, ' ' ORDER BY gate, check_name <> 'ga4_day_present', check_name) AS reason
FROM ops.gate_result
WHERE dag_id = %(dag_id)s AND run_id = %(run_id)s AND status IN ('fail', 'error') AND gate <> ALL (%(not_run)s::text[])
HAVING count(*) > 0
