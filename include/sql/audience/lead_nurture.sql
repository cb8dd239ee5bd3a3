-- Leads who did something in the last four days that asks for an answer: a form, a webinar, a product looked at.
-- Grain: one person. Repeats within the debounce time of a burst's first event are the same trigger; then the next event begins a new
-- burst. The trigger is the first event of the latest burst. Bursts are counted from ten days back, or from any silence of a debounce
-- time since: of somebody who was never silent, the first burst may be cut, which moves a trigger by less than the debounce time.
-- Reads staging.events, marts.person_identity, marts.person_features, marts.person. Writes marts.audience. The context holds words
-- that copy may depend on, and of a person's place only the country.
-- Parameters: campaign, day (date), trigger_events (text[]), debounce_hours (int[], beside trigger_events), lifecycle_stages (text[]).
-- Re-running a night replaces only that night (audience/delete.sql runs first). The slot is the ISO week (UTC) of the trigger:
-- one nurture message a week for one person, however often the night is run.
WITH RECURSIVE trigger_rule AS (
    SELECT * FROM unnest(%(trigger_events)s::text[], %(debounce_hours)s::int[]) AS rule (event_name, debounce_hours)
), person_event AS (
    SELECT coalesce(by_user.person_id, by_device.person_id) AS person_id,
           event.event_name, event.event_at, event.event_day, event.row_number, rule.debounce_hours
    FROM staging.events AS event
    JOIN trigger_rule AS rule USING (event_name)
    LEFT JOIN marts.person_identity AS by_user ON by_user.kind = 'user_id' AND by_user.value = event.user_id
    LEFT JOIN marts.person_identity AS by_device
        ON event.user_id IS NULL AND by_device.kind = 'user_pseudo_id' AND by_device.value = event.user_pseudo_id
    WHERE event.event_day BETWEEN %(day)s::date - 10 AND %(day)s::date
), timeline AS (
    SELECT person_id, event_name, make_interval(hours => debounce_hours) AS debounce,
           array_agg(event_at ORDER BY event_at) AS event_times
    FROM person_event
    WHERE person_id IS NOT NULL
    GROUP BY person_id, event_name, debounce_hours
), burst AS (
    -- One round for each burst of the busiest person; the next burst begins with the first event after this one has ended.
    SELECT person_id, event_name, debounce, event_times, event_times[1] AS begun_at FROM timeline
    UNION ALL
    SELECT burst.person_id, burst.event_name, burst.debounce, burst.event_times, following.begun_at
    FROM burst
    CROSS JOIN LATERAL (
        SELECT min(event_at) AS begun_at FROM unnest(burst.event_times) AS event (event_at)
        WHERE event_at > burst.begun_at AND event_at >= burst.begun_at + burst.debounce
    ) AS following
    WHERE following.begun_at IS NOT NULL
), latest_trigger AS (
    SELECT DISTINCT ON (person_event.person_id) person_event.*
    FROM burst
    JOIN person_event ON person_event.person_id = burst.person_id AND person_event.event_name = burst.event_name
        AND person_event.event_at = burst.begun_at
    WHERE person_event.event_day > %(day)s::date - 4
    ORDER BY person_event.person_id, event_at DESC, event_day, row_number
)
INSERT INTO marts.audience (
    campaign, day, person_id, slot, crm_id,
    trigger_event, trigger_at, trigger_event_day, trigger_row_number, context
)
SELECT %(campaign)s, %(day)s::date, features.person_id,
       'week-' || to_char(latest_trigger.event_at AT TIME ZONE 'UTC', 'IYYY"-W"IW'),
       features.crm_id, latest_trigger.event_name, latest_trigger.event_at,
       latest_trigger.event_day, latest_trigger.row_number,
       jsonb_build_object(
           'persona', features.persona,
           'industry', features.industry,
           'pain_point', features.pain_point,
           'lifecycle_stage', features.lifecycle_stage,
           'recent_product', coalesce(features.recent_product_id, features.recent_product_name),
           'country', split_part(person.region, '-', 1),
           'trigger_event', latest_trigger.event_name
       )
FROM latest_trigger
JOIN marts.person_features AS features ON features.person_id = latest_trigger.person_id AND features.day = %(day)s::date
JOIN marts.person AS person ON person.person_id = latest_trigger.person_id
WHERE features.lifecycle_stage = ANY (%(lifecycle_stages)s::text[])
