-- Closes a batch: its end was read, or it will never be made. Gives back a row only the first time, so that money is settled once.
-- Grain: one batch. Reads ops.llm_call. Writes ops.llm_batch; gives back what the batch came to, in US dollars and in tokens.
-- Parameters: batch_key, state, error, lost_usd and lost_tokens (to be counted although no answer was seen).
WITH bill AS (
    SELECT coalesce(sum(cost_usd), 0) + %(lost_usd)s AS cost_usd,
           coalesce(sum(prompt_tokens + completion_tokens), 0)::bigint + %(lost_tokens)s AS tokens
    FROM ops.llm_call
    WHERE batch_key = %(batch_key)s
)
UPDATE ops.llm_batch
SET state = %(state)s, error = coalesce(%(error)s, error), cost_usd = bill.cost_usd, ended_at = clock_timestamp()
FROM bill
WHERE batch_key = %(batch_key)s AND state IN ('planned', 'submitted')
RETURNING bill.cost_usd, bill.tokens
