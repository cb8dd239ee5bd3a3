-- Puts values on a suppression list; one that is on it stays as it is. Domains are kept as they stand in staging.address_key.
-- Grain: one value. Writes ops.suppression. Parameters: list, kind, values (text[]), reason, source, by.
-- A second run adds nothing.
INSERT INTO ops.suppression (list, kind, value, reason, source, added_by)
SELECT %(list)s, %(kind)s, CASE WHEN %(kind)s = 'domain' THEN staging.domain_key(value) ELSE value END,
       %(reason)s, %(source)s, %(by)s
FROM unnest(%(values)s::text[]) AS given (value)
ON CONFLICT (kind, value, list) WHERE removed_at IS NULL DO NOTHING
