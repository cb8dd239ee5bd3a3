-- Takes back the calls of one run that were noted and never went out: their attempt was killed or cancelled before.
-- Grain: one campaign and budget day, with what was reserved for these calls (US dollars, tokens). Reads and writes ops.llm_call.
-- Parameters: dag_id, run_id. Run again it finds nothing. The caller commits it with what it gives back to the budget.
WITH unsent AS (
    DELETE FROM ops.llm_call
    WHERE dag_id = %(dag_id)s AND run_id = %(run_id)s AND status = 'in_flight' AND sent_at IS NULL AND batch_key IS NULL
    RETURNING campaign, budget_day, cost_usd, worst_case_tokens
)
SELECT campaign, budget_day, sum(cost_usd), sum(worst_case_tokens)::bigint
FROM unsent
WHERE budget_day IS NOT NULL
GROUP BY campaign, budget_day
ORDER BY campaign, budget_day
