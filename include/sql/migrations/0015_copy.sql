-- Copy depends on few words of a context: nights are planned by these, not by everything that is known of a person.

-- A raw context, cut down to the keys of `spellings` (key → value → word) that it has, its values replaced by their words; a value
-- that has none becomes null.
CREATE FUNCTION ops.narrowed(context jsonb, spellings jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (
    SELECT coalesce(jsonb_object_agg(key, spellings -> key -> (context ->> key)), '{}')
    FROM jsonb_object_keys(spellings) AS key
    WHERE context ? key);
