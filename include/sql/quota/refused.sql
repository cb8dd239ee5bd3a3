-- How many requests the vendor refused so far: it changes when a pause begins.
-- Grain: one limit of one portal. Reads ops.request_quota. Writes nothing. Parameters: conn_id, bucket.
SELECT refused FROM ops.request_quota WHERE conn_id = %(conn_id)s AND bucket = %(bucket)s
