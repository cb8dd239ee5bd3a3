-- Notes what came of one request of a batch, and what it cost at batch price; gives back a row only the first time.
-- Grain: one request of one batch. Reads ops.llm_batch. Writes ops.llm_call; gives back the new row's id.
-- Parameters: batch_key, request_hash, status, error, prompt_tokens, completion_tokens, cost_usd (US dollars).
-- A second harvest of the same batch writes nothing.
INSERT INTO ops.llm_call (
    dag_id, run_id, campaign, request_hash, template_id, template_version, model, attempt, status, error, prompt_tokens,
    completion_tokens, cost_usd, latency_ms, batch_key
)
SELECT dag_id, run_id, campaign, %(request_hash)s, template_id, template_version, model, 1, %(status)s, %(error)s,
       %(prompt_tokens)s, %(completion_tokens)s, %(cost_usd)s,
       extract(epoch FROM clock_timestamp() - coalesce(submitted_at, planned_at)) * 1000, batch_key
FROM ops.llm_batch
WHERE batch_key = %(batch_key)s
ON CONFLICT (batch_key, request_hash) WHERE batch_key IS NOT NULL DO NOTHING
RETURNING llm_call_id
