-- Notes what came of requests to a model endpoint, and what they cost instead of their worst case.
-- Grain: one request. Reads nothing. Writes ops.llm_call. Parameters: calls (JSON: a list of llm_call_id, status, error,
-- prompt_tokens, completion_tokens, cost_usd in US dollars, latency_ms). Run again it writes the same.
UPDATE ops.llm_call AS call
SET status = ended.status, error = ended.error, prompt_tokens = ended.prompt_tokens, completion_tokens = ended.completion_tokens,
    cost_usd = ended.cost_usd, latency_ms = ended.latency_ms
FROM jsonb_to_recordset(%(calls)s) AS ended (
    llm_call_id bigint, status text, error text, prompt_tokens integer, completion_tokens integer, cost_usd numeric,
    latency_ms double precision)
WHERE call.llm_call_id = ended.llm_call_id
