-- The latest evaluation of exactly this text of a template.
-- Grain: one row, or none. Reads ops.evaluation. Writes nothing. Parameters: template_id, template_version, template_hash.
SELECT report
FROM ops.evaluation
WHERE template_id = %(template_id)s AND template_version = %(template_version)s AND template_hash = %(template_hash)s
ORDER BY evaluation_id DESC
LIMIT 1
