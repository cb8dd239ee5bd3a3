-- Plans one batch, before anything is sent to the vendor.
-- Grain: one batch. Reads nothing. Writes ops.llm_batch. Parameters: the columns that are known by then.
-- The batch's key depends on what it holds: planned a second time, nothing is written.
INSERT INTO ops.llm_batch (
    batch_key, dag_id, run_id, campaign, vendor, model, template_id, template_version, state, request_hashes,
    worst_case_usd, worst_case_tokens, planned_at, deadline
) VALUES (
    %(batch_key)s, %(dag_id)s, %(run_id)s, %(campaign)s, %(vendor)s, %(model)s, %(template_id)s, %(template_version)s,
    'planned', %(request_hashes)s, %(worst_case_usd)s, %(worst_case_tokens)s, %(planned_at)s, %(deadline)s
)
ON CONFLICT (batch_key) DO NOTHING
