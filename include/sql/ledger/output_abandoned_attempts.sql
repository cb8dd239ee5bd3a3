-- Tokens of attempts that hold open outputs of a campaign but whose database session is gone, and with it the lock that they held.
-- Grain: one token. Reads ops.push_output. Writes nothing; the locks it tries end with the transaction.
-- Parameters: campaign, token (uuid of this attempt, whose session holds its own lock), lock_space (int).
WITH holder AS MATERIALIZED (
    SELECT DISTINCT claim_token
    FROM ops.push_output
    WHERE state IN ('claimed', 'sent', 'unknown') AND campaign = %(campaign)s AND claim_token <> %(token)s::uuid
)
SELECT claim_token
FROM holder
WHERE pg_try_advisory_xact_lock(%(lock_space)s, hashtext(claim_token::text))
