-- Runs in DuckDB, inside the load: one Arrow batch of a GA4 day as the warehouse will hold it.
-- Grain: one exported event, unfit ones included. Reads batch, writes delivered (both of this load only).
-- Parameters: day (date of the export table), max_param_bytes, unfit_json (regular expression: JSON that is refused).
-- `digest` orders events of one microsecond by their content, so that the order of delivery does not matter.
-- `fault` says why PostgreSQL or the policy would refuse the row: the field, what was found, what was expected.
INSERT INTO delivered
WITH shaped AS (
    SELECT
        try_cast(event_timestamp AS BIGINT)                 AS event_us,
        CAST(event_name AS VARCHAR)                         AS event_name,
        CAST(user_id AS VARCHAR)                            AS user_id,
        CAST(user_pseudo_id AS VARCHAR)                     AS user_pseudo_id,
        CAST(stream_id AS VARCHAR)                          AS stream_id,
        coalesce(to_json(event_params)::VARCHAR, '[]')      AS event_params,
        coalesce(to_json(user_properties)::VARCHAR, '[]')   AS user_properties,
        coalesce(to_json(items)::VARCHAR, '[]')             AS items,
        to_json(ecommerce)::VARCHAR                         AS ecommerce,
        to_json(geo)::VARCHAR                               AS geo,
        to_json(device)::VARCHAR                            AS device,
        to_json(traffic_source)::VARCHAR                    AS traffic_source,
        to_json(rest)::VARCHAR                              AS rest
    FROM batch
),
spelled AS (
    SELECT
        *,
        concat(
            to_json(event_name), '|', to_json(user_id), '|', to_json(user_pseudo_id), '|', to_json(stream_id), '|',
            event_params, '|', user_properties, '|', items, '|', ecommerce, '|', geo, '|', device, '|',
            traffic_source, '|', rest
        ) AS whole
    FROM shaped
),
searched AS (
    SELECT
        *,
        -- the first column whose JSON PostgreSQL would refuse; hardly any row needs the closer look
        CASE WHEN contains(whole, '\u0000') OR contains(whole, 'NaN') OR contains(whole, 'Infinity') THEN list_filter([
            {'name': 'event_name', 'json': to_json(event_name)::VARCHAR},
            {'name': 'user_id', 'json': to_json(user_id)::VARCHAR},
            {'name': 'user_pseudo_id', 'json': to_json(user_pseudo_id)::VARCHAR},
            {'name': 'stream_id', 'json': to_json(stream_id)::VARCHAR},
            {'name': 'event_params', 'json': event_params},
            {'name': 'user_properties', 'json': user_properties},
            {'name': 'items', 'json': items},
            {'name': 'ecommerce', 'json': ecommerce},
            {'name': 'geo', 'json': geo},
            {'name': 'device', 'json': device},
            {'name': 'traffic_source', 'json': traffic_source},
            {'name': 'rest', 'json': rest}
        ], lambda c: regexp_matches(c.json, $unfit_json))[1].name END AS refused
    FROM spelled
)
SELECT
    * EXCLUDE (whole, refused),
    md5_number(whole) AS digest,
    CASE
        WHEN event_us IS NULL
            THEN {'field': 'event_timestamp', 'reason': 'found nothing, or no number; expected microseconds since 1970, UTC'}
        WHEN event_us NOT BETWEEN epoch_us($day::DATE - INTERVAL 3 DAY) AND epoch_us($day::DATE + INTERVAL 4 DAY)
            THEN {'field': 'event_timestamp', 'reason':
                  concat('found ', event_us, ' µs since 1970; expected a time within 3 days of ', $day::DATE)}
        WHEN coalesce(trim(event_name), '') = ''
            THEN {'field': 'event_name', 'reason': 'found nothing; expected the name of an event'}
        -- These are indexed, and an index entry of PostgreSQL holds about 2,700 bytes. GA4 itself allows 256.
        WHEN strlen(event_name) > 1024
            THEN {'field': 'event_name', 'reason': concat('found ', strlen(event_name), ' bytes; expected at most 1024')}
        WHEN strlen(user_id) > 1024
            THEN {'field': 'user_id', 'reason': concat('found ', strlen(user_id), ' bytes; expected at most 1024')}
        WHEN strlen(user_pseudo_id) > 1024
            THEN {'field': 'user_pseudo_id', 'reason': concat('found ', strlen(user_pseudo_id), ' bytes; expected at most 1024')}
        -- No value is longer than the JSON text around it: few rows need the closer look.
        WHEN strlen(event_params) > $max_param_bytes AND longest(event_params) > $max_param_bytes
            THEN {'field': 'event_params', 'reason':
                  concat('found a value of ', longest(event_params), ' bytes; expected at most ', $max_param_bytes)}
        WHEN strlen(user_properties) > $max_param_bytes AND longest(user_properties) > $max_param_bytes
            THEN {'field': 'user_properties', 'reason':
                  concat('found a value of ', longest(user_properties), ' bytes; expected at most ', $max_param_bytes)}
        WHEN refused IS NOT NULL
            THEN {'field': refused, 'reason': 'found a NUL character or a number that is not finite; neither can be stored'}
    END AS fault
FROM searched;
