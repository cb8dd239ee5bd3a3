-- Sets money and tokens aside, in every scope that a call counts in, and says what is then reserved or spent.
-- Grain: one scope (run, day, campaign). Reads and writes ops.budget: its rows are made where missing and locked in the order of
-- their key, always the same, so that parallel runs wait for one another and never for ever.
-- Parameters: scopes, keys (text[], in pairs), usd, tokens. Not idempotent: the caller commits it with the calls that it is for.
INSERT INTO ops.budget AS budget (scope, key, reserved_usd, reserved_tokens)
SELECT scope, key, %(usd)s, %(tokens)s
FROM unnest(%(scopes)s::text[], %(keys)s::text[]) AS purse (scope, key)
ORDER BY scope, key
ON CONFLICT (scope, key) DO UPDATE SET
    reserved_usd = budget.reserved_usd + excluded.reserved_usd,
    reserved_tokens = budget.reserved_tokens + excluded.reserved_tokens,
    changed_at = clock_timestamp()
RETURNING scope, reserved_usd + spent_usd, reserved_tokens + spent_tokens
