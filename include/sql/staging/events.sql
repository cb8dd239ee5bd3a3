-- Cleaned events of the days that were loaded: the parameters that the package uses, each in one type.
-- Grain: one event. Reads raw_ga4.events, writes staging.events. Parameters: days (date[]; empty them first).
-- Work grows with the days given. A parameter arrives as string, integer or number: whichever is there is taken.
INSERT INTO staging.events (
    event_day, row_number, event_at, event_name, user_id, user_pseudo_id, session_id, is_session_engaged, page_location,
    page_title, form_id, source, medium, campaign, country, transaction_id, cart_value, currency, product_id, product_name,
    product_category, product_price
)
SELECT
    event.event_day,
    event.row_number,
    event.event_at,
    event.event_name,
    nullif(btrim(event.user_id), ''),
    nullif(btrim(event.user_pseudo_id), ''),
    param.ga_session_id,
    CASE param.session_engaged WHEN '1' THEN true WHEN 'true' THEN true WHEN '0' THEN false WHEN 'false' THEN false END,
    param.page_location,
    param.page_title,
    param.form_id,
    -- of the event, then of its session's click, then of the user's first visit
    coalesce(param.source, event.rest #>> '{collected_traffic_source,manual_source}', event.traffic_source ->> 'source'),
    coalesce(param.medium, event.rest #>> '{collected_traffic_source,manual_medium}', event.traffic_source ->> 'medium'),
    coalesce(
        param.campaign, event.rest #>> '{collected_traffic_source,manual_campaign_name}', event.traffic_source ->> 'name'
    ),
    nullif(nullif(event.geo ->> 'country', ''), '(not set)'),
    nullif(coalesce(param.transaction_id, nullif(event.ecommerce ->> 'transaction_id', '')), '(not set)'),
    -- no number beyond 30 digits is a price, and numeric ends at some point
    CASE WHEN param.value ~ '^[+-]?\d{1,30}(\.\d{0,30})?([eE][+-]?\d{1,2})?$' THEN param.value::numeric END,
    param.currency,
    nullif(nullif(event.items #>> '{0,item_id}', ''), '(not set)'),
    nullif(nullif(event.items #>> '{0,item_name}', ''), '(not set)'),
    nullif(nullif(event.items #>> '{0,item_category}', ''), '(not set)'),
    CASE WHEN event.items #>> '{0,price}' ~ '^[+-]?\d{1,30}(\.\d{0,30})?([eE][+-]?\d{1,2})?$'
        THEN (event.items #>> '{0,price}')::numeric END
FROM raw_ga4.events AS event
CROSS JOIN LATERAL (
    SELECT
        min(given.value) FILTER (WHERE given.key = 'ga_session_id')   AS ga_session_id,
        min(given.value) FILTER (WHERE given.key = 'session_engaged') AS session_engaged,
        min(given.value) FILTER (WHERE given.key = 'page_location')   AS page_location,
        min(given.value) FILTER (WHERE given.key = 'page_title')      AS page_title,
        min(given.value) FILTER (WHERE given.key = 'form_id')         AS form_id,
        min(given.value) FILTER (WHERE given.key = 'source')          AS source,
        min(given.value) FILTER (WHERE given.key = 'medium')          AS medium,
        min(given.value) FILTER (WHERE given.key = 'campaign')        AS campaign,
        min(given.value) FILTER (WHERE given.key = 'transaction_id')  AS transaction_id,
        min(given.value) FILTER (WHERE given.key = 'value')           AS value,
        min(given.value) FILTER (WHERE given.key = 'currency')        AS currency
    FROM (
        SELECT
            entry ->> 'key' AS key,
            nullif(coalesce(
                entry #>> '{value,string_value}', entry #>> '{value,int_value}', entry #>> '{value,double_value}',
                entry #>> '{value,float_value}'
            ), '') AS value
        FROM jsonb_array_elements(event.event_params) AS entry
    ) AS given
) AS param
WHERE event.event_day = ANY(%(days)s);
