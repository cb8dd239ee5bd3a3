-- Events of erased persons stay as events of nobody: counts by day and name stay right, what says whose they were goes. The columns and
-- functions are those of raw_ga4.events in include/personal_data.yaml.
-- Grain: one event of `day`. Reads ops.tombstone, ops.tombstone_salt. Writes raw_ga4.events. Parameters: day (date). The random ids hold
-- for one day of one load, so nobody is followed over the days. What another person did logged in on such a device is theirs. Run once, right after the day was loaded; without tombstones
-- nothing is looked at.
WITH met AS MATERIALIZED (
    SELECT delivered.kind, delivered.value, tombstone.lifted_at,
           'erased_' || replace(gen_random_uuid()::text, '-', '') AS replacement
    FROM (
        SELECT DISTINCT identifier.kind, identifier.value
        FROM raw_ga4.events AS event
        CROSS JOIN LATERAL (VALUES ('user_id', event.user_id), ('user_pseudo_id', event.user_pseudo_id)) AS identifier (kind, value)
        WHERE EXISTS (SELECT FROM ops.tombstone) AND event.event_day = %(day)s AND identifier.value IS NOT NULL
    ) AS delivered
    CROSS JOIN ops.tombstone_salt AS salt
    JOIN ops.tombstone AS tombstone
        ON tombstone.kind = delivered.kind AND tombstone.value_hash = ops.tombstone_hash(salt.salt, delivered.kind, delivered.value)
)
UPDATE raw_ga4.events AS event
SET user_id = coalesce(own_user.replacement, event.user_id),
    user_pseudo_id = coalesce(own_device.replacement, event.user_pseudo_id),
    event_params = ops.scrub_event_params(event.event_params),
    user_properties = '[]',
    ecommerce = event.ecommerce - '{transaction_id}'::text[],
    geo = ops.only_keys(event.geo, '{country}'),
    device = ops.only_keys(event.device, '{category}'),
    rest = ops.scrub_event_rest(event.rest)
FROM raw_ga4.events AS same
LEFT JOIN met AS own_user ON own_user.kind = 'user_id' AND own_user.value = same.user_id
LEFT JOIN met AS own_device ON own_device.kind = 'user_pseudo_id' AND own_device.value = same.user_pseudo_id
WHERE EXISTS (SELECT FROM met)
  AND same.event_day = %(day)s AND event.event_day = same.event_day AND event.row_number = same.row_number
  AND (own_user.replacement IS NOT NULL OR (own_device.replacement IS NOT NULL AND nullif(btrim(same.user_id), '') IS NULL))
  AND event.event_at < coalesce(own_user.lifted_at, own_device.lifted_at, 'infinity')
