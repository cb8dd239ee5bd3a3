-- Tokens of attempts that hold open rows of a campaign but whose database session is gone, and with it the lock that they held.
-- Grain: one token. Reads ops.push_ledger. Writes nothing; the locks it tries end with the transaction.
-- Parameters: campaign, lock_space (int).
WITH holder AS MATERIALIZED (
    SELECT DISTINCT claim_token
    FROM ops.push_ledger
    WHERE state IN ('claimed', 'sent', 'unknown') AND campaign = %(campaign)s
)
SELECT claim_token
FROM holder
WHERE pg_try_advisory_xact_lock(%(lock_space)s, hashtext(claim_token::text))
