-- Notes one request to a model endpoint, failed ones included. Money in US dollars.
-- Grain: one request. Writes ops.llm_call. Parameters: its columns. Every attempt is a row of its own.
INSERT INTO ops.llm_call (
    dag_id, run_id, campaign, request_hash, template_id, template_version, model, attempt, status, error,
    prompt_tokens, completion_tokens, cost_usd, latency_ms
) VALUES (
    %(dag_id)s, %(run_id)s, %(campaign)s, %(request_hash)s, %(template_id)s, %(template_version)s, %(model)s, %(attempt)s,
    %(status)s, %(error)s, %(prompt_tokens)s, %(completion_tokens)s, %(cost_usd)s, %(latency_ms)s
)
