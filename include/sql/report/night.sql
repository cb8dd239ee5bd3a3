-- Everything that one run did, as one JSON object: what the UI shows, what the demo prints.
-- Checks: those that did not pass first, then the four that were promised (duplicates, user ids, changes, schemas), then the rest.
-- Model calls without an outcome are under way, or their attempt was killed; they are no failures, and cost their worst case.
-- Messages are those of the whole night by the state of their slot, with those that an earlier attempt delivered and which a later
-- one therefore does not assign; the rest of `push` is what this run did.
-- Grain: one run. Reads ops.load_log, ops.gate_result, marts.audience, ops.message, ops.copy, ops.llm_call, ops.push_ledger,
-- ops.push_output, ops.approval, ops.copy_run, ops.dead_letter, ops.dry_run. Writes nothing.
-- Parameters: dag_id (of a campaign: its name), run_id, day (date), campaign (under which the night is kept; NULL: the campaign, or
-- its test send where the run's own slot says so).
WITH campaign AS (
    SELECT EXISTS (
        SELECT FROM ops.gate_result
        WHERE dag_id = %(dag_id)s AND run_id = %(run_id)s AND table_name = 'marts.audience'
    ) AS has_audience,
    coalesce(%(campaign)s::text, (
        SELECT campaign FROM marts.audience
        WHERE campaign = %(dag_id)s || '~seed' AND day = %(day)s::date AND slot = 'seed-' || %(run_id)s LIMIT 1), %(dag_id)s) AS name
), audience AS (
    SELECT * FROM marts.audience WHERE campaign = (SELECT name FROM campaign) AND day = %(day)s::date
), message AS (
    SELECT message.*, copy.origin, copy.verdict, message.lane = 'approval' AND approval.copy_id IS NULL AS is_undecided
    FROM ops.message AS message
    JOIN ops.copy AS copy USING (copy_id)
    LEFT JOIN ops.approval AS approval
        ON approval.campaign = message.campaign AND approval.day = message.day AND approval.copy_id = message.copy_id
    WHERE message.campaign = (SELECT name FROM campaign) AND message.day = %(day)s::date
), outcome AS (
    SELECT CASE
            WHEN ledger.state IS NULL AND message.is_undecided THEN 'waiting for a person'
            WHEN ledger.state IS NULL OR ledger.state IN ('claimed', 'sent') THEN 'waiting'
            ELSE ledger.state END AS state
    FROM message LEFT JOIN ops.push_ledger AS ledger USING (campaign, person_id, slot)
    UNION ALL
    SELECT state FROM ops.push_ledger AS ledger
    WHERE campaign = (SELECT name FROM campaign) AND day = %(day)s::date AND state = 'confirmed'
      AND NOT EXISTS (SELECT FROM ops.message AS own
                      WHERE own.campaign = ledger.campaign AND own.day = ledger.day AND own.person_id = ledger.person_id)
), call AS (
    SELECT * FROM ops.llm_call WHERE dag_id = %(dag_id)s AND run_id = %(run_id)s
)
SELECT json_strip_nulls(json_build_object(
    'loads', (
        SELECT json_agg(json_build_object('source', source, 'rows', loaded_rows, 'dead_letters', dead_rows, 'note', note) ORDER BY source)
        FROM ops.load_log WHERE dag_id = %(dag_id)s AND run_id = %(run_id)s),
    'gates', (
        SELECT json_agg(json_build_object('gate', gate, 'check', check_name, 'status', status, 'observed', observed,
                                            'threshold', threshold, 'unit', unit, 'detail', detail)
            ORDER BY array_position(ARRAY['error', 'fail', 'warn', 'pass'], status),
                array_position(ARRAY['missing_user_ids', 'duplicate_contacts', 'event_change', 'ga4_schema_lock', 'hubspot_schema_lock'], check_name),
                gate, table_name, check_name)
        FROM ops.gate_result WHERE dag_id = %(dag_id)s AND run_id = %(run_id)s),
    'audience', CASE WHEN campaign.has_audience THEN json_build_object(
        'qualified', (SELECT count(*) FROM audience),
        'may_be_written_to', (SELECT count(*) FROM audience WHERE suppressed_reason IS NULL),
        'suppressed', (SELECT coalesce(json_object_agg(suppressed_reason, people), '{}') FROM (
            SELECT suppressed_reason, count(*) AS people FROM audience WHERE suppressed_reason IS NOT NULL GROUP BY 1) AS reason),
        'arms', (SELECT coalesce(json_object_agg(arm, people), '{}') FROM (
            SELECT arm, count(*) AS people FROM audience WHERE arm IS NOT NULL GROUP BY 1) AS arm),
        'may_be_sent', (SELECT json_object_agg(moment, people) FROM (
            SELECT CASE WHEN send_after > selected_at + interval '1 hour' THEN 'after the quiet hours' ELSE 'at once' END AS moment,
                   count(*) AS people
            FROM audience WHERE send_after IS NOT NULL GROUP BY 1) AS moment),
        'reasons', (SELECT json_agg(json_build_object('why_not', words, 'people', people) ORDER BY people DESC, words) FROM (
            SELECT coalesce(suppressed_detail, CASE suppressed_reason
                       WHEN 'not_in_crm' THEN 'no living contact in the CRM'
                       WHEN 'already_sent_this_slot' THEN 'has the message of this slot, or may be getting it right now'
                       WHEN 'no_address' THEN 'no usable e-mail address'
                       WHEN 'opted_out' THEN 'opted out in the CRM'
                       WHEN 'consent_denied' THEN 'denied consent, or withdrew it'
                       WHEN 'opted_out_elsewhere' THEN 'another contact of the same address opted out or denied consent'
                       WHEN 'no_opt_in' THEN 'did not opt in, and the region needs it'
                       WHEN 'duplicate_address' THEN 'another contact of the same address gets it'
                       ELSE suppressed_reason END) AS words, count(*) AS people
            FROM audience WHERE suppressed_reason IS NOT NULL GROUP BY 1) AS reason),
        'regions', (SELECT json_agg(json_build_object(
                'region', region, 'qualified', qualified, 'may_be_written_to', allowed, 'ai', ai, 'static', static, 'none', held_out)
                ORDER BY qualified DESC, region) FROM (
            SELECT coalesce(nullif(split_part(region, '-', 1), ''), 'unknown') AS region, count(*) AS qualified,
                   count(*) FILTER (WHERE suppressed_reason IS NULL) AS allowed, count(*) FILTER (WHERE arm = 'ai') AS ai,
                   count(*) FILTER (WHERE arm = 'static') AS static, count(*) FILTER (WHERE arm = 'none') AS held_out
            FROM audience GROUP BY 1) AS region)) END,
    'dry_run', (SELECT json_object_agg(outcome, people) FROM (
        SELECT 'would be ' || outcome AS outcome, count(*) AS people FROM ops.dry_run
        WHERE dag_id = %(dag_id)s AND run_id = %(run_id)s GROUP BY 1 ORDER BY 1) AS outcome),
    'copy', CASE WHEN campaign.has_audience THEN json_build_object(
        'prompt', written.counts ->> 'template',
        'cap_reached', written.counts ->> 'capped_by',
        'switched_off', nullif(written.counts ->> 'switched_off', 'false'),
        'pinned_to_another', written.counts ->> 'pinned_to_another',
        'refused_by_endpoint', nullif(written.counts ->> 'refused', 'false'),
        'model_without_a_price', nullif(written.counts ->> 'unpriced', 'false'),
        'second_model_took_over', written.counts ->> 'fell_over_to',
        'not_evaluated', written.counts ->> 'not_evaluated',
        'people_with_model_copy', (SELECT count(*) FROM message WHERE origin = 'model'),
        'people_with_static_copy', (SELECT count(*) FROM message WHERE origin = 'static'),
        'people_waiting_for_approval', (SELECT count(*) FROM message WHERE is_undecided),
        'distinct_model_pieces', (SELECT count(DISTINCT copy_id) FROM message WHERE origin = 'model'),
        'distinct_static_pieces', (SELECT count(DISTINCT copy_id) FROM message WHERE origin = 'static')) END,
    'model', CASE WHEN campaign.has_audience THEN (
        SELECT json_build_object('calls', count(*), 'failed_calls', count(*) FILTER (WHERE status NOT IN ('ok', 'in_flight')),
                                  'calls_without_outcome', nullif(count(*) FILTER (WHERE status = 'in_flight'), 0),
                                  'prompt_tokens', coalesce(sum(prompt_tokens), 0),
                                  'completion_tokens', coalesce(sum(completion_tokens), 0),
                                  'cost_usd', round(coalesce(sum(cost_usd), 0), 6),
                                  'models', coalesce(json_agg(DISTINCT model), '[]')) FROM call) END,
    'push', CASE WHEN campaign.has_audience THEN json_build_object(
        'messages', (SELECT coalesce(json_object_agg(state, people), '{}') FROM (
            SELECT state, count(*) AS people FROM outcome GROUP BY 1 ORDER BY 1) AS state),
        'by_this_run', (SELECT coalesce(json_object_agg(state, people), '{}') FROM (
            SELECT state, count(*) AS people FROM ops.push_ledger
            WHERE campaign = (SELECT name FROM campaign) AND run_id = %(run_id)s AND day = %(day)s::date GROUP BY 1) AS state),
        'static_instead', (SELECT json_object_agg(fallback_reason, people) FROM (
            SELECT fallback_reason, count(*) AS people FROM ops.push_ledger
            WHERE campaign = (SELECT name FROM campaign) AND run_id = %(run_id)s AND day = %(day)s::date AND fallback_reason IS NOT NULL
            GROUP BY 1) AS reason),
        'outputs', (SELECT json_object_agg(output, states) FROM (
            SELECT output, json_object_agg(state, outputs) AS states FROM (
                SELECT output, CASE WHEN state IN ('claimed', 'sent') THEN 'waiting' ELSE state END AS state, count(*) AS outputs
                FROM ops.push_output WHERE campaign = (SELECT name FROM campaign) AND day = %(day)s::date GROUP BY 1, 2 ORDER BY 1, 2) AS counted
            GROUP BY 1) AS output),
        'already_sent_before', (SELECT count(*) FROM audience WHERE suppressed_reason = 'already_sent_this_slot')) END,
    'dead_letters', (SELECT coalesce(json_object_agg(source, letters), '{}') FROM (
        SELECT source, count(*) AS letters FROM ops.dead_letter
        WHERE dag_id = %(dag_id)s AND run_id = %(run_id)s AND resolved_at IS NULL GROUP BY 1) AS letter)
)) AS report
FROM campaign LEFT JOIN ops.copy_run AS written ON written.dag_id = %(dag_id)s AND written.run_id = %(run_id)s
