-- Keep one bad row; met before, it counts an attempt more and is open again. Given up, it stays so while the same payload comes.
-- Grain: one dead letter by (source, key, field). Writes ops.dead_letter.
-- Parameters: source, key, field, reason, payload (JSON text), payload_hash, dag_id, run_id.
INSERT INTO ops.dead_letter AS letter (source, key, field, reason, payload, payload_hash, dag_id, run_id)
VALUES (%(source)s, %(key)s, %(field)s, %(reason)s, %(payload)s::jsonb, %(payload_hash)s, %(dag_id)s, %(run_id)s)
ON CONFLICT (source, key, field) DO UPDATE SET
    reason = excluded.reason, payload = excluded.payload, payload_hash = excluded.payload_hash,
    dag_id = excluded.dag_id, run_id = excluded.run_id, attempts = letter.attempts + 1, last_seen_at = clock_timestamp(),
    resolved_at = NULL, resolution = NULL,
    given_up_at = CASE WHEN letter.payload_hash = excluded.payload_hash THEN letter.given_up_at END,
    given_up_by = CASE WHEN letter.payload_hash = excluded.payload_hash THEN letter.given_up_by END,
    given_up_note = CASE WHEN letter.payload_hash = excluded.payload_hash THEN letter.given_up_note END
