-- Runs in DuckDB, inside the load: what goes to ops.dead_letter.
-- Grain: one event that cannot be stored. Reads delivered, numbered. Writes nothing. No parameters. A very long row is cut to its beginning.
WITH spelled AS (
    SELECT
        row_number,
        fault,
        to_json({
            'event_timestamp': event_us, 'event_name': event_name, 'user_id': user_id, 'user_pseudo_id': user_pseudo_id,
            'stream_id': stream_id, 'event_params': event_params::JSON, 'user_properties': user_properties::JSON,
            'items': items::JSON, 'ecommerce': ecommerce::JSON, 'geo': geo::JSON, 'device': device::JSON,
            'traffic_source': traffic_source::JSON, 'rest': rest::JSON
        })::VARCHAR AS row
    FROM delivered
    JOIN numbered ON numbered.place = delivered.rowid
    WHERE fault IS NOT NULL
)
SELECT
    row_number,
    fault.field,
    fault.reason,
    CASE WHEN strlen(row) > 65536 THEN to_json(left(row, 20000))::VARCHAR ELSE row END AS json
FROM spelled
ORDER BY row_number;
