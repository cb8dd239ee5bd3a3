-- Notes one request to a model endpoint before it goes out, at its worst case; nothing when the switch is off.
-- Grain: one request, each attempt one of its own. Reads ops.switch. Writes ops.llm_call, gives back the new row's id. Money in US dollars.
-- Parameters: switch (name), and the columns of ops.llm_call that are known by then.
INSERT INTO ops.llm_call (
    dag_id, run_id, campaign, request_hash, template_id, template_version, model, attempt, status, cost_usd, latency_ms
)
SELECT
    %(dag_id)s, %(run_id)s, %(campaign)s, %(request_hash)s, %(template_id)s, %(template_version)s, %(model)s, %(attempt)s,
    'in_flight', %(worst_case_usd)s, 0
FROM ops.switch
WHERE name = %(switch)s AND is_on
RETURNING llm_call_id
