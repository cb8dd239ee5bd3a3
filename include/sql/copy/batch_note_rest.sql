-- Notes the requests of a batch of which nothing was seen: they cost nothing, and are not put into another batch of the same run.
-- Grain: one request of one batch. Reads ops.llm_batch. Writes ops.llm_call. Parameters: batch_key, status, error.
-- Requests that are noted already keep what they have.
INSERT INTO ops.llm_call (
    dag_id, run_id, campaign, request_hash, template_id, template_version, model, attempt, status, error, latency_ms, batch_key
)
SELECT dag_id, run_id, campaign, request_hash, template_id, template_version, model, 1, %(status)s, %(error)s,
       extract(epoch FROM clock_timestamp() - coalesce(submitted_at, planned_at)) * 1000, batch_key
FROM ops.llm_batch
CROSS JOIN unnest(request_hashes) AS request_hash
WHERE batch_key = %(batch_key)s
ON CONFLICT (batch_key, request_hash) WHERE batch_key IS NOT NULL DO NOTHING
