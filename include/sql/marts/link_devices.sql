-- A device (user_pseudo_id) leads to the person who logged in on it, where every log-in on it, of any day, is that one person's.
-- A log-in of a user_id that leads to nobody is somebody else's.
-- Grain: one device seen in the days given. Reads staging.events, marts.person_identity (user_id). Writes marts.person_identity.
-- Parameters: first_day, day (dates, both included): those whose events the features of this night read. A second run writes nothing.
-- The link follows from all events of the device, so the order of nights makes no difference.
WITH seen AS (
    SELECT DISTINCT user_pseudo_id
    FROM staging.events
    WHERE event_day BETWEEN %(first_day)s::date AND %(day)s::date AND user_pseudo_id IS NOT NULL
), login AS (
    SELECT DISTINCT event.user_pseudo_id, event.user_id
    FROM staging.events AS event
    JOIN seen USING (user_pseudo_id)
    WHERE event.user_id IS NOT NULL
), owner AS (
    SELECT login.user_pseudo_id, min(identity.person_id) AS person_id
    FROM login
    LEFT JOIN marts.person_identity AS identity ON identity.kind = 'user_id' AND identity.value = login.user_id
    GROUP BY login.user_pseudo_id
    HAVING min(identity.person_id) = max(identity.person_id) AND count(identity.person_id) = count(*)
), unlinked AS (
    DELETE FROM marts.person_identity AS link
    USING seen
    WHERE link.kind = 'user_pseudo_id' AND link.value = seen.user_pseudo_id
      AND NOT EXISTS (SELECT FROM owner WHERE owner.user_pseudo_id = seen.user_pseudo_id)
)
INSERT INTO marts.person_identity AS link (kind, value, person_id)
SELECT 'user_pseudo_id', owner.user_pseudo_id, owner.person_id
FROM owner
LEFT JOIN marts.person_identity AS known ON known.kind = 'user_pseudo_id' AND known.value = owner.user_pseudo_id
WHERE known.person_id IS DISTINCT FROM owner.person_id
ON CONFLICT (kind, value) DO UPDATE SET person_id = excluded.person_id
