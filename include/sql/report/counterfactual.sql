-- What a campaign's night would send today had nothing been sent before, against what was sent, as one JSON object; NULL where there
-- is nothing to compare: nobody got the night's message before this run selected its people, and no later night was ahead of it.
-- Grain: one night. Reads marts.audience, marts.person, ops.message, ops.push_ledger, ops.assignment, ops.approval, ops.copy,
-- ops.counterfactual_copy. Writes nothing. Parameters: campaign, day (date). Samples are ids, at most 20.
-- What a reviewer decided on a piece holds for it again. Who no longer qualifies is counted with the first reason that applies.
WITH night AS (
    SELECT coalesce(min(selected_at), clock_timestamp()) AS selected_at
    FROM marts.audience WHERE campaign = %(campaign)s AND day = %(day)s::date
), sent AS MATERIALIZED (
    SELECT coalesce(person.merged_into, ledger.person_id) AS person_id, ledger.slot, ledger.copy_id
    FROM ops.push_ledger AS ledger
    JOIN night ON ledger.claimed_at < night.selected_at
    LEFT JOIN marts.person AS person USING (person_id)
    WHERE ledger.campaign = %(campaign)s AND ledger.day = %(day)s::date AND ledger.state = 'confirmed'
), compared AS MATERIALIZED (
    SELECT sent.person_id, sent.copy_id,
           CASE
               WHEN audience.person_id IS NULL THEN 'not selected any more'
               WHEN audience.slot <> sent.slot THEN 'selected for another slot'
               WHEN audience.suppressed_reason <> 'already_sent_this_slot' THEN audience.suppressed_reason
               WHEN assignment.arm = 'none' THEN 'in the holdout'
           END AS none_now,
           today.template, today.words,
           CASE
               WHEN approval.decision = 'edited' THEN approval.edited_copy_id
               WHEN approval.decision IN ('rejected', 'timed_out') THEN today.fallback_copy_id
               ELSE today.copy_id
           END AS copy_id_now
    FROM sent
    LEFT JOIN marts.audience AS audience
        ON audience.campaign = %(campaign)s AND audience.day = %(day)s::date AND audience.person_id = sent.person_id
    LEFT JOIN ops.assignment AS assignment ON assignment.experiment = %(campaign)s AND assignment.person_id = sent.person_id
    LEFT JOIN ops.counterfactual_copy AS today
        ON today.campaign = %(campaign)s AND today.day = %(day)s::date AND today.arm = assignment.arm AND today.context = audience.context
    LEFT JOIN ops.approval AS approval
        ON approval.campaign = %(campaign)s AND approval.day = %(day)s::date AND approval.copy_id = today.copy_id AND today.lane = 'approval'
), another AS MATERIALIZED (
    SELECT compared.person_id,
           concat_ws('; ',
               CASE WHEN compared.copy_id_now IS NULL THEN 'a piece that nobody wrote yet' END,
               CASE WHEN before.template <> coalesce(after.template, compared.template)
                   THEN 'template ' || coalesce(after.template, compared.template) || ', then ' || before.template END,
               CASE WHEN after.model <> before.model THEN 'model ' || after.model || ', then ' || before.model END,
               CASE WHEN differing.keys IS NOT NULL THEN 'context: ' || differing.keys END,
               CASE WHEN after.fact_ids <> before.fact_ids THEN 'facts' END,
               CASE WHEN after.origin = 'edited' OR before.origin = 'edited' THEN 'an edit by a reviewer' END
           ) AS change
    FROM compared
    JOIN LATERAL (
        SELECT template_id || '@v' || template_version AS template, * FROM ops.copy WHERE copy.copy_id = compared.copy_id
    ) AS before ON true
    LEFT JOIN LATERAL (
        SELECT template_id || '@v' || template_version AS template, * FROM ops.copy WHERE copy.copy_id = compared.copy_id_now
    ) AS after ON true
    CROSS JOIN LATERAL (  -- templates do not tell the same contexts apart: only words that both know are compared
        SELECT string_agg(key, ', ' ORDER BY key) AS keys
        FROM jsonb_each(before.context) AS old (key, value)
        JOIN jsonb_each(coalesce(after.context, compared.words)) AS new (key, value) USING (key)
        WHERE old.value <> new.value
    ) AS differing
    WHERE compared.none_now IS NULL AND compared.template IS NOT NULL AND compared.copy_id_now IS DISTINCT FROM compared.copy_id
), newcomer AS MATERIALIZED (
    SELECT message.person_id
    FROM ops.message AS message
    CROSS JOIN night
    LEFT JOIN ops.push_ledger AS ledger USING (campaign, person_id, slot)
    WHERE message.campaign = %(campaign)s AND message.day = %(day)s::date
      AND (ledger.state IS NULL OR (ledger.claimed_at >= night.selected_at AND ledger.state IN ('claimed', 'sent', 'unknown', 'confirmed')))
      AND EXISTS (SELECT FROM sent)
), elsewhere AS (
    -- As sets: what the statistics say of suppressed_reason was true before consent was applied, and NOT EXISTS looped over all pairs.
    SELECT count(*) AS people
    FROM (
        SELECT person_id, slot FROM marts.audience
        WHERE campaign = %(campaign)s AND day = %(day)s::date AND suppressed_reason = 'already_sent_this_slot'
        EXCEPT
        SELECT person_id, slot FROM sent
    ) AS had_elsewhere
), late AS (
    SELECT EXISTS (
        SELECT FROM ops.push_ledger AS ledger, night
        WHERE ledger.campaign = %(campaign)s AND ledger.day > %(day)s::date AND ledger.state = 'confirmed'
          AND ledger.claimed_at < night.selected_at) AS is_late
), superseded AS (
    SELECT reason, count(*) AS people
    FROM ops.push_ledger
    WHERE campaign = %(campaign)s AND day = %(day)s::date AND state = 'superseded'
    GROUP BY reason
)
SELECT CASE
    WHEN EXISTS (SELECT FROM sent) OR EXISTS (SELECT FROM superseded) OR (late.is_late AND elsewhere.people > 0) THEN json_strip_nulls(json_build_object(
    'sent_before_this_run', (SELECT nullif(count(*), 0) FROM sent),
    'same_message', (SELECT CASE WHEN count(*) > 0 THEN count(*) FILTER (
        WHERE none_now IS NULL AND template IS NOT NULL AND copy_id_now IS NOT DISTINCT FROM copy_id) END FROM compared),
    'another_copy', (SELECT CASE WHEN count(*) > 0 THEN json_build_object(
        'people', count(*),
        'because', (SELECT json_object_agg(change, people ORDER BY people DESC, change) FROM (
            SELECT coalesce(nullif(change, ''), 'another text') AS change, count(*) AS people FROM another GROUP BY 1) AS reason),
        'sample', (SELECT json_agg(person_id) FROM (SELECT person_id FROM another ORDER BY person_id LIMIT 20) AS one)) END FROM another),
    'would_get_none_now', (SELECT CASE WHEN count(*) > 0 THEN json_build_object(
        'people', count(*),
        'because', (SELECT json_object_agg(none_now, people ORDER BY people DESC, none_now) FROM (
            SELECT none_now, count(*) AS people FROM compared WHERE none_now IS NOT NULL GROUP BY 1) AS reason),
        'sample', (SELECT json_agg(person_id) FROM (
            SELECT person_id FROM compared WHERE none_now IS NOT NULL ORDER BY person_id LIMIT 20) AS one)) END
        FROM compared WHERE none_now IS NOT NULL),
    'not_compared', (SELECT nullif(count(*), 0) FROM compared WHERE none_now IS NULL AND template IS NULL),
    'got_none_before', (SELECT CASE WHEN count(*) > 0 THEN json_build_object(
        'people', count(*),
        'sample', (SELECT json_agg(person_id) FROM (SELECT person_id FROM newcomer ORDER BY person_id LIMIT 20) AS one)) END FROM newcomer),
    'have_the_slot_of_another_night', nullif(elsewhere.people, 0),
    'superseded', (SELECT json_object_agg(reason, people ORDER BY people DESC, reason) FROM superseded)
)) END AS counterfactual
FROM late CROSS JOIN elsewhere
