-- What is known of each person with behaviour in the last 30 days, as of one night.
-- Grain: one person. Reads staging.events, staging.contacts, marts.person, marts.person_identity. Writes marts.person_features.
-- Parameters: day (date, the last complete GA4 day). Re-running a night replaces only that night.
WITH behaviour AS (
    SELECT coalesce(by_user.person_id, by_device.person_id) AS person_id, event.*
    FROM staging.events AS event
    LEFT JOIN marts.person_identity AS by_user ON by_user.kind = 'user_id' AND by_user.value = event.user_id
    LEFT JOIN marts.person_identity AS by_device
        ON by_user.person_id IS NULL AND event.user_id IS NULL
        AND by_device.kind = 'user_pseudo_id' AND by_device.value = event.user_pseudo_id
    WHERE event.event_day BETWEEN %(day)s::date - 29 AND %(day)s::date
      AND (by_user.person_id IS NOT NULL OR by_device.person_id IS NOT NULL)
), activity AS (
    SELECT person_id,
           count(*) FILTER (WHERE event_day > %(day)s::date - 7) AS events_7d,
           count(DISTINCT (user_pseudo_id, session_id)) FILTER (WHERE event_day > %(day)s::date - 7) AS sessions_7d,
           max(event_at) AS last_event_at
    FROM behaviour
    GROUP BY person_id
), product_view AS (
    SELECT DISTINCT ON (person_id) person_id, product_id, product_name, product_category, event_at
    FROM behaviour
    WHERE event_name IN ('view_item', 'add_to_cart') AND (product_id IS NOT NULL OR product_name IS NOT NULL)
    ORDER BY person_id, event_at DESC, event_day DESC, row_number DESC
), cart AS (
    SELECT DISTINCT ON (person_id) person_id, cart_value
    FROM behaviour
    WHERE event_name = 'add_to_cart' AND cart_value IS NOT NULL
    ORDER BY person_id, event_at DESC, event_day DESC, row_number DESC
)
INSERT INTO marts.person_features
SELECT %(day)s::date, person.person_id, contact.crm_id, contact.persona, contact.industry, contact.pain_point,
       contact.lifecycle_stage, contact.lead_status, contact.account_tier, contact.lead_score, contact.last_touch_channel,
       activity.events_7d, activity.sessions_7d, activity.last_event_at,
       product_view.product_id, product_view.product_name, product_view.product_category, product_view.event_at,
       cart.cart_value
FROM activity
JOIN marts.person AS person USING (person_id)
JOIN staging.contacts AS contact ON contact.crm_id = person.crm_id
LEFT JOIN product_view USING (person_id)
LEFT JOIN cart USING (person_id)
