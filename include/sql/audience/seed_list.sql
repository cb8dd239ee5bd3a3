-- The seed list of a test send: contacts of which the CRM says nurture_seed = true, as if they had asked for an answer at the end of the
-- night's day. The slot is the run's own, so a test uses up nobody's slot, and a new run is a new test.
-- Grain: one person. Reads raw_hubspot.contacts, staging.contacts, marts.person, marts.person_features. Writes marts.audience; nothing
-- for a night of
-- everyone. Parameters: campaign, day (date), run_id. Running it again needs audience/empty_for_test_send.sql first.
INSERT INTO marts.audience (
    campaign, day, person_id, slot, crm_id, trigger_event, trigger_at, trigger_event_day, trigger_row_number, context
)
SELECT %(campaign)s, %(day)s::date, person.person_id, 'seed-' || %(run_id)s, person.crm_id,
       'seed_list', (%(day)s::date + interval '24 hours' - interval '1 second') AT TIME ZONE 'UTC', %(day)s::date, 0,
       jsonb_build_object(
           'persona', contact.persona,
           'industry', contact.industry,
           'pain_point', contact.pain_point,
           'lifecycle_stage', contact.lifecycle_stage,
           'recent_product', coalesce(features.recent_product_id, features.recent_product_name),
           'country', split_part(person.region, '-', 1),
           'trigger_event', 'seed_list'
       )
FROM raw_hubspot.contacts AS delivered
JOIN staging.contacts AS contact USING (crm_id)
JOIN marts.person AS person USING (crm_id)
LEFT JOIN marts.person_features AS features ON features.person_id = person.person_id AND features.day = %(day)s::date
WHERE delivered.properties ->> 'nurture_seed' = 'true' AND split_part(%(campaign)s, '~', 2) = 'seed'
