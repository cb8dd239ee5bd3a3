-- What the answer to each request cost when it was given.
-- Grain: one request. Reads ops.llm_call. Writes nothing. Parameters: request_hashes (text[]). Money in US dollars.
SELECT DISTINCT ON (request_hash) request_hash, prompt_tokens, completion_tokens, cost_usd
FROM ops.llm_call
WHERE request_hash = ANY (%(request_hashes)s) AND status IN ('ok', 'bad_answer')
ORDER BY request_hash, llm_call_id DESC
