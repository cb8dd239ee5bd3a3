-- The vendor refused a request: nobody sends another for so long, and what was saved up is gone.
-- Grain: one limit of one portal. Reads and writes ops.request_quota. A second run counts one refusal more.
-- Parameters: conn_id, bucket, pause_seconds, slack_seconds. A longer pause that was asked for before stays.
UPDATE ops.request_quota
SET refused = refused + 1,
    next_at = greatest(next_at, clock_timestamp() + make_interval(secs => %(pause_seconds)s::float8 + %(slack_seconds)s::float8))
WHERE conn_id = %(conn_id)s AND bucket = %(bucket)s
RETURNING refused
