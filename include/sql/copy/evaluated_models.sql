-- The models with which exactly this text of a template has passed an evaluation.
-- Grain: one model. Reads ops.evaluation. Writes nothing. Parameters: template_hash.
SELECT DISTINCT model FROM ops.evaluation WHERE template_hash = %(template_hash)s AND passed
