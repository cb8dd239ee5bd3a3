-- Copy that would go to these people and must not, each with the reason in words: asked right before every claim, so that a fact
-- that was withdrawn, a price that ran out or a switch that was pulled counts within seconds, also for copy that was approved.
-- Grain: one distinct piece (chosen, edited or fallback) that may not go out. Reads ops.message, ops.approval, ops.copy,
-- ops.copy_source, ops.fact, ops.switch. Writes nothing. Parameters: campaign, lane, day (date), person_ids (text[]).
-- Bytes that do not fit their hash are not what was judged, shown or approved. Facts count as of today, or as of the night's day
-- where the data is ahead of the clock; while ops.fact is empty there is nothing to ask.
WITH piece AS (
    SELECT DISTINCT candidate.copy_id
    FROM ops.message AS message
    LEFT JOIN ops.approval AS approval
        ON approval.campaign = message.campaign AND approval.day = message.day AND approval.copy_id = message.copy_id
    CROSS JOIN LATERAL unnest(ARRAY[message.copy_id, message.fallback_copy_id, approval.edited_copy_id]) AS candidate (copy_id)
    WHERE message.campaign = %(campaign)s AND message.day = %(day)s::date AND message.lane = %(lane)s
      AND message.person_id = ANY (%(person_ids)s::text[])
), pin AS MATERIALIZED (
    SELECT ops.may_personalize(%(campaign)s) AS may_personalize,
           (SELECT value FROM ops.switch WHERE name = 'template' AND campaign IN (split_part(%(campaign)s, '~', 1), '*') AND value IS NOT NULL
            ORDER BY campaign = '*' LIMIT 1) AS template,
           (SELECT value FROM ops.switch WHERE name = 'model' AND campaign IN (split_part(%(campaign)s, '~', 1), '*') AND value IS NOT NULL
            ORDER BY campaign = '*' LIMIT 1) AS model,
           EXISTS (SELECT FROM ops.fact) AS has_facts,
           greatest((clock_timestamp() AT TIME ZONE 'UTC')::date, %(day)s::date) AS today
), judged AS (
    SELECT copy.copy_id,
           CASE
               WHEN ops.content_id(copy.request_hash, copy.output) <> copy.copy_id
                   THEN 'its bytes do not fit its hash: it was changed after it was judged'
               WHEN copy.origin <> 'static' AND NOT pin.may_personalize THEN 'ai_personalization is switched off'
               WHEN copy.origin <> 'static' AND copy.template_id || '@v' || copy.template_version <> pin.template
                   THEN 'the campaign is pinned to ' || pin.template || ', it was written with '
                        || copy.template_id || '@v' || copy.template_version
               WHEN copy.origin <> 'static' AND copy.model <> pin.model
                   THEN 'the campaign is pinned to the model ' || pin.model || ', it was written by ' || copy.model
               WHEN copy.verdict = 'rejected' THEN 'the guardrails reject it by now'
               WHEN copy.verdict = 'flagged' AND %(lane)s = 'ready' THEN 'the guardrails flag it by now, and nobody approved it'
               ELSE (
                   SELECT string_agg(
                       CASE WHEN source.fact_id IS NULL THEN 'it cites ' || cited.fact_id || ', whose version was not kept'
                            WHEN fact.fact_id IS NULL THEN 'it cites ' || cited.fact_id || ', which is no approved fact'
                            WHEN NOT fact.is_current THEN 'it cites version ' || fact.version || ' of ' || cited.fact_id
                                || ', which was withdrawn or replaced'
                            WHEN fact.valid_from > pin.today THEN 'it cites ' || cited.fact_id || ', which is not valid before ' || fact.valid_from
                            ELSE 'it cites ' || cited.fact_id || ', which was valid until ' || fact.valid_until END,
                       '; ' ORDER BY cited.fact_id)
                   FROM jsonb_array_elements_text(copy.output -> 'cited_fact_ids') AS cited (fact_id)
                   LEFT JOIN ops.copy_source AS source ON source.copy_id = copy.copy_id AND source.fact_id = cited.fact_id
                   LEFT JOIN ops.fact AS fact ON fact.fact_id = source.fact_id AND fact.version = source.fact_version
                   WHERE pin.has_facts AND (fact.is_current AND pin.today BETWEEN fact.valid_from AND coalesce(fact.valid_until, 'infinity'))
                       IS NOT TRUE)
           END AS problem
    FROM piece
    JOIN ops.copy AS copy USING (copy_id)
    CROSS JOIN pin
)
SELECT copy_id, problem FROM judged WHERE problem IS NOT NULL
