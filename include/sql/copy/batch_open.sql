-- The batches whose end was not read yet, as far as they concern one run: its own, those of others that hold a request which it
-- needs, and those of its campaign that were abandoned, so that no paid answer and no reservation is forgotten.
-- Grain: one batch. Reads ops.llm_batch. Writes nothing.
-- Parameters: dag_id, run_id, campaign, request_hashes (text[]), abandoned_after (interval behind the deadline).
SELECT batch_key, dag_id, run_id, campaign, vendor, model, template_id, template_version, state, vendor_id, request_hashes,
       worst_case_usd, worst_case_tokens, planned_at, attempted_at, submitted_at, cancel_asked_at, deadline, error
FROM ops.llm_batch
WHERE state IN ('planned', 'submitted')
  AND (
      (dag_id = %(dag_id)s AND run_id = %(run_id)s)
      OR request_hashes && %(request_hashes)s::text[]
      OR (campaign = %(campaign)s AND deadline + %(abandoned_after)s < clock_timestamp())
  )
ORDER BY planned_at, batch_key
