-- Every check of one night and whether its gate has a Data Docs page. Within a gate: those that did not pass first, then the
-- four that were promised (duplicates, user ids, changes, schemas), then the rest, as in report/night.sql.
-- Grain: one check. Reads ops.gate_result, ops.data_docs. Writes nothing. Binds dag_id, run_id.
SELECT
    gate, check_name, table_name, severity, status, observed, threshold, unit, detail, sample_keys,
    EXISTS (SELECT FROM ops.data_docs AS page WHERE (page.dag_id, page.run_id, page.gate) = (result.dag_id, result.run_id, result.gate)) AS has_page
FROM ops.gate_result AS result
WHERE dag_id = %(dag_id)s AND run_id = %(run_id)s
ORDER BY min(checked_at) OVER (PARTITION BY gate), gate,
    array_position(ARRAY['error', 'fail', 'warn', 'pass'], status),
    array_position(ARRAY['missing_user_ids', 'duplicate_contacts', 'event_change', 'ga4_schema_lock', 'hubspot_schema_lock'], check_name),
    table_name, check_name
