-- Takes values off a suppression list: the entries stay, with who removed them, when and why.
-- Grain: one value. Writes ops.suppression. Parameters: list, kind, values (text[]), reason, by. A second run removes nothing.
UPDATE ops.suppression
SET removed_at = clock_timestamp(), removed_by = %(by)s, removal_reason = %(reason)s
WHERE list = %(list)s AND kind = %(kind)s AND removed_at IS NULL
  AND value IN (SELECT CASE WHEN %(kind)s = 'domain' THEN staging.domain_key(given.value) ELSE given.value END
                FROM unnest(%(values)s::text[]) AS given (value))
