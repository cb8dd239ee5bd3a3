-- Give the caller the next free moment of a portal's limit, and say how long that is from now. Moments are given in the order of
-- asking, `gap_seconds` apart, so callers wait in line and never come all at once; `slack_seconds` of moments that nobody used
-- may be used together. Any `t` seconds see at most (t + slack) / gap + 1 requests. The lock on the row ends with the statement.
-- Grain: one limit of one portal. Reads and writes ops.request_quota. Each run takes a token more.
-- Parameters: conn_id, bucket, gap_seconds, slack_seconds, horizon_seconds: what is further ahead than this was not given away,
-- the server's clock was put back.
INSERT INTO ops.request_quota AS quota (conn_id, bucket, next_at, taken)
VALUES (%(conn_id)s, %(bucket)s, clock_timestamp() + make_interval(secs => %(gap_seconds)s), 1)
ON CONFLICT (conn_id, bucket) DO UPDATE
SET taken = quota.taken + 1,
    next_at = make_interval(secs => %(gap_seconds)s) + CASE
        WHEN quota.next_at > clock_timestamp() + make_interval(secs => %(horizon_seconds)s) THEN clock_timestamp()
        ELSE greatest(quota.next_at, clock_timestamp())
    END
RETURNING greatest(0.0, extract(epoch FROM quota.next_at - clock_timestamp())::float8 - %(gap_seconds)s - %(slack_seconds)s)
              AS wait_seconds,
          quota.refused
