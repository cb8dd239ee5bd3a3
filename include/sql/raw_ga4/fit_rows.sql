-- Runs in DuckDB, inside the load: what goes into raw_ga4.events, in the order of its columns.
-- Grain: one event that can be stored. Reads delivered, numbered. Writes nothing.
-- Parameters: day (date of the export table).
SELECT
    $day::DATE                                 AS event_day,
    row_number,
    make_timestamp(event_us)::VARCHAR || '+00' AS event_at,
    event_name,
    user_id,
    user_pseudo_id,
    stream_id,
    event_params,
    user_properties,
    items,
    ecommerce,
    geo,
    device,
    traffic_source,
    rest
FROM delivered
JOIN numbered ON numbered.place = delivered.rowid
WHERE fault IS NULL;
