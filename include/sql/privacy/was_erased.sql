-- Whether an identifier is one of a person who was erased.
-- Grain: one line, if so: since when. Reads ops.tombstone, ops.tombstone_salt. Writes nothing. Parameters: kind, value.
SELECT tombstone.erased_at
FROM ops.tombstone_salt AS salt
JOIN ops.tombstone AS tombstone
    ON tombstone.kind = %(kind)s AND tombstone.value_hash = ops.tombstone_hash(salt.salt, %(kind)s, %(value)s)
