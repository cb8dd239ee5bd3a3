-- Put aside answers that the guardrails refused, so that the store asks for the pieces again. What was said stays in the dead
-- letter, what it cost in ops.llm_call. An answer that anybody was shown, sent or that was edited stays: it is history.
-- Grain: one refused answer of `request_hashes`. Writes ops.copy, ops.copy_source. Returns the request hashes of those put aside.
-- Parameters: request_hashes (text[]). A second run finds nothing.
WITH refused AS (
    SELECT copy_id
    FROM ops.copy
    WHERE request_hash = ANY (%(request_hashes)s::text[]) AND verdict = 'rejected' AND origin = 'model'
      AND NOT EXISTS (SELECT FROM ops.message WHERE copy.copy_id IN (message.copy_id, message.fallback_copy_id))
      AND NOT EXISTS (SELECT FROM ops.push_ledger WHERE push_ledger.copy_id = copy.copy_id)
      AND NOT EXISTS (SELECT FROM ops.approval WHERE copy.copy_id IN (approval.copy_id, approval.edited_copy_id))
      AND NOT EXISTS (SELECT FROM ops.copy AS edited WHERE edited.edited_from = copy.copy_id)
), unsourced AS (
    DELETE FROM ops.copy_source WHERE copy_id IN (SELECT copy_id FROM refused)
)
DELETE FROM ops.copy WHERE copy_id IN (SELECT copy_id FROM refused)
RETURNING request_hash
