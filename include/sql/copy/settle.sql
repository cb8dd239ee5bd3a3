-- Replaces what was reserved by what was spent.
-- Grain: one scope (run, day, campaign). Reads and writes ops.budget, its rows locked in the same order as reserve.sql does.
-- Parameters: scopes, keys (text[], in pairs), reserved_usd, reserved_tokens, spent_usd, spent_tokens. Not idempotent: the caller
-- commits it with the outcome of the calls.
WITH purse AS (
    SELECT scope, key
    FROM ops.budget
    WHERE (scope, key) IN (SELECT * FROM unnest(%(scopes)s::text[], %(keys)s::text[]))
    ORDER BY scope, key
    FOR UPDATE
)
UPDATE ops.budget AS budget SET
    reserved_usd = budget.reserved_usd - %(reserved_usd)s,
    reserved_tokens = budget.reserved_tokens - %(reserved_tokens)s,
    spent_usd = budget.spent_usd + %(spent_usd)s,
    spent_tokens = budget.spent_tokens + %(spent_tokens)s,
    changed_at = clock_timestamp()
FROM purse
WHERE budget.scope = purse.scope AND budget.key = purse.key
