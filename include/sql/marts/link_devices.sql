-- A device (user_pseudo_id) leads to the person who logged in on it, where only one did.
-- Grain: one device seen with a user_id in the days re-read tonight. Reads staging.events, marts.person_identity.
-- Writes marts.person_identity. Parameters: first_day, day (dates, both included). A second run inserts nothing.
INSERT INTO marts.person_identity (kind, value, person_id)
SELECT 'user_pseudo_id', event.user_pseudo_id, min(identity.person_id)
FROM staging.events AS event
JOIN marts.person_identity AS identity ON identity.kind = 'user_id' AND identity.value = event.user_id
WHERE event.event_day BETWEEN %(first_day)s::date AND %(day)s::date
  AND event.user_pseudo_id IS NOT NULL
GROUP BY event.user_pseudo_id
HAVING count(DISTINCT identity.person_id) = 1
ON CONFLICT (kind, value) DO NOTHING
