-- What people did lately from which a rule infers consent, asked right before a push.
-- Grain: one person of `person_ids` who did something. Reads marts.person_identity, staging.events. Writes nothing.
-- Parameters: person_ids, events (text[]), event_days (int[], beside events).
SELECT person_id, event_name || ' of ' || to_char(event_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS deed
FROM ops.implied_consent(%(person_ids)s::text[], %(events)s::text[], %(event_days)s::int[])
