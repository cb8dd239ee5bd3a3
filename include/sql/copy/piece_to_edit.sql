-- What a reviewer's edit of one piece is judged by: its request, and those of the facts it was offered that may be said today.
-- Grain: at most one piece. Reads ops.copy, ops.fact. Writes nothing. Parameters: copy_id, today (date).
-- is_intact: its bytes fit its hash, so they are what was judged and shown.
SELECT copy.template_id || '@v' || copy.template_version AS template, copy.context, copy.model, copy.output,
       ops.content_id(copy.request_hash, copy.output) = copy.copy_id AS is_intact,
       (SELECT coalesce(jsonb_agg(to_jsonb(fact) ORDER BY fact.fact_id), '[]')
        FROM ops.fact AS fact
        WHERE copy.fact_ids ? fact.fact_id AND fact.is_current
          AND %(today)s::date BETWEEN fact.valid_from AND coalesce(fact.valid_until, 'infinity')) AS facts
FROM ops.copy AS copy
WHERE copy.copy_id = %(copy_id)s
