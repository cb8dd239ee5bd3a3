-- Keeps the report of one evaluation. Grain: one evaluation; run again it is another one. Reads nothing. Writes ops.evaluation.
-- Parameters: the columns of ops.evaluation but its id and time.
INSERT INTO ops.evaluation (template_id, template_version, template_hash, model, baseline, passed, report, dag_id, run_id)
VALUES (
    %(template_id)s, %(template_version)s, %(template_hash)s, %(model)s, %(baseline)s, %(passed)s, %(report)s, %(dag_id)s, %(run_id)s
)
