-- Notes requests to a model endpoint before they go out, at their worst case; nothing when the switch is off for the campaign.
-- Grain: one request, each attempt one of its own. Reads ops.switch. Writes ops.llm_call, gives back the new rows' ids in the order
-- of `calls`. Money in US dollars. Parameters: dag_id, run_id, campaign, calls (JSON: a list of what else is known by then).
INSERT INTO ops.llm_call (
    dag_id, run_id, campaign, request_hash, template_id, template_version, model, attempt, status, cost_usd, latency_ms,
    worst_case_tokens, budget_day
)
SELECT
    %(dag_id)s, %(run_id)s, %(campaign)s, call.request_hash, call.template_id, call.template_version, call.model, call.attempt,
    'in_flight', call.worst_case_usd, 0, call.worst_case_tokens, call.budget_day
FROM ROWS FROM (
    jsonb_to_recordset(%(calls)s) AS (
        request_hash text, template_id text, template_version integer, model text, attempt integer, worst_case_usd numeric,
        worst_case_tokens bigint, budget_day date)
) WITH ORDINALITY AS call
WHERE ops.may_personalize(%(campaign)s)
ORDER BY call.ordinality
RETURNING llm_call_id
