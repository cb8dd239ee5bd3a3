-- Notes requests to a model endpoint before they go out, at their worst case; not those that a switch forbids by now: model copy is
-- off, or the campaign is pinned to another template version or model than is asked for.
-- Grain: one request, each attempt one of its own. Reads ops.switch. Writes ops.llm_call. Gives back, in the order of `calls`, the new
-- row's id or the name of the switch that forbids it. Evaluations (campaign evaluation) try other versions and models on purpose: no
-- pin holds for them. Money in US dollars. Parameters: dag_id, run_id, campaign, calls (JSON: a list of what else is known by then).
WITH pin AS (
    SELECT DISTINCT ON (name) name, value
    FROM ops.switch
    WHERE name IN ('template', 'model') AND campaign IN (split_part(%(campaign)s, '~', 1), '*') AND value IS NOT NULL
      AND %(campaign)s <> 'evaluation'
    ORDER BY name, campaign = '*'
), call AS MATERIALIZED (
    SELECT given.*, CASE
               WHEN NOT (SELECT ops.may_personalize(%(campaign)s)) THEN 'ai_personalization'
               WHEN given.template_id || '@v' || given.template_version <> (SELECT value FROM pin WHERE name = 'template') THEN 'template'
               WHEN given.model <> (SELECT value FROM pin WHERE name = 'model') THEN 'model'
           END AS forbidden_by
    FROM ROWS FROM (
        jsonb_to_recordset(%(calls)s) AS (
            request_hash text, template_id text, template_version integer, model text, attempt integer, worst_case_usd numeric,
            worst_case_tokens bigint, budget_day date)
    ) WITH ORDINALITY AS given
), noted AS (
    INSERT INTO ops.llm_call (
        dag_id, run_id, campaign, request_hash, template_id, template_version, model, attempt, status, cost_usd, latency_ms,
        worst_case_tokens, budget_day
    )
    SELECT
        %(dag_id)s, %(run_id)s, %(campaign)s, request_hash, template_id, template_version, model, attempt, 'in_flight',
        worst_case_usd, 0, worst_case_tokens, budget_day
    FROM call
    WHERE forbidden_by IS NULL
    ORDER BY ordinality
    RETURNING llm_call_id, request_hash, attempt
)
SELECT noted.llm_call_id, call.forbidden_by
FROM call LEFT JOIN noted USING (request_hash, attempt)
ORDER BY call.ordinality
