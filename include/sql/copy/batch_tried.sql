-- The requests that batches of one run have dealt with: they are not put into another one, whatever came of them. Those that were
-- cancelled because the switch went off may be.
-- Grain: one request, and whether one of its batches was lost sight of: it may still be paid for. Reads ops.llm_call, ops.llm_batch.
-- Writes nothing. Parameters: dag_id, run_id.
SELECT call.request_hash, bool_or(call.status = 'lost') AS is_lost
FROM ops.llm_batch AS batch
JOIN ops.llm_call AS call ON call.batch_key = batch.batch_key
WHERE batch.dag_id = %(dag_id)s AND batch.run_id = %(run_id)s AND NOT (batch.state = 'cancelled' AND call.status = 'cancelled')
GROUP BY call.request_hash
