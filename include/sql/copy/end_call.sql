-- Notes what came of one request to a model endpoint, and what it cost instead of its worst case.
-- Grain: one request. Reads nothing. Writes ops.llm_call. Parameters: llm_call_id, status, error, prompt_tokens, completion_tokens,
-- cost_usd (US dollars), latency_ms. Run again it writes the same.
UPDATE ops.llm_call
SET status = %(status)s, error = %(error)s, prompt_tokens = %(prompt_tokens)s, completion_tokens = %(completion_tokens)s,
    cost_usd = %(cost_usd)s, latency_ms = %(latency_ms)s
WHERE llm_call_id = %(llm_call_id)s
