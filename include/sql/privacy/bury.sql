-- Tombstones: from their commit on, no load brings the person back.
-- Grain: one identifier. Reads ops.privacy_subject, ops.tombstone_salt. Writes ops.tombstone. Parameters: request_id.
-- A second run sets the time anew; of a person who had come back, the identifiers are kept out again.
INSERT INTO ops.tombstone (kind, value_hash, erasure_id)
SELECT subject.kind, ops.tombstone_hash(salt.salt, subject.kind, subject.value), batch.erasure_id
FROM ops.privacy_subject AS subject
CROSS JOIN ops.tombstone_salt AS salt
CROSS JOIN (SELECT gen_random_uuid() AS erasure_id) AS batch
WHERE subject.request_id = %(request_id)s
ON CONFLICT (kind, value_hash) DO UPDATE SET
    erasure_id = excluded.erasure_id, erased_at = excluded.erased_at, lifted_at = NULL
