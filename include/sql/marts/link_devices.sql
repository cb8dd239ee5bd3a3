-- A device (user_pseudo_id) leads to the person who logged in on it, where every log-in on it, of any day, is that one person's.
-- A log-in of a user_id that leads to nobody is somebody else's.
-- Grain: one device that this night touched: seen in the days that were read again, in days loaded since they were linked last, or
-- logged in on with a user_id that may lead elsewhere now. Reads pg_temp.touched (user_id), staging.events, ops.load_log,
-- marts.person_identity (user_id). Writes marts.person_identity, marts.linked_day.
-- Parameters: first_day, day (dates, both included): the days that the night read again. A second run writes nothing.
-- The link follows from all events of the device, so the order of nights makes no difference. A device of which GA4 took back a log-in
-- is looked at when it is seen again.
WITH load AS (
    SELECT day, max(loaded_at) AS loaded_at
    FROM ops.load_log
    WHERE source ^@ 'ga4.events_' AND day IS NOT NULL
    GROUP BY day
), new_load AS MATERIALIZED (
    SELECT load.* FROM load LEFT JOIN marts.linked_day AS linked USING (day) WHERE load.loaded_at IS DISTINCT FROM linked.loaded_at
), linked_now AS (
    INSERT INTO marts.linked_day (day, loaded_at)
    SELECT day, loaded_at FROM new_load
    ON CONFLICT (day) DO UPDATE SET loaded_at = excluded.loaded_at
), seen AS MATERIALIZED (
    SELECT user_pseudo_id
    FROM staging.events
    WHERE event_day BETWEEN %(first_day)s::date AND %(day)s::date AND user_pseudo_id IS NOT NULL
    UNION
    SELECT event.user_pseudo_id
    FROM new_load
    JOIN staging.events AS event ON event.event_day = new_load.day
    WHERE event.user_pseudo_id IS NOT NULL AND event.event_day NOT BETWEEN %(first_day)s::date AND %(day)s::date
    UNION
    SELECT event.user_pseudo_id
    FROM (SELECT DISTINCT value AS user_id FROM touched WHERE kind = 'user_id') AS touched_user
    JOIN staging.events AS event USING (user_id)
    WHERE event.user_pseudo_id IS NOT NULL
), login AS (
    SELECT DISTINCT seen.user_pseudo_id, event.user_id
    FROM seen
    LEFT JOIN staging.events AS event ON event.user_pseudo_id = seen.user_pseudo_id AND event.user_id IS NOT NULL
), decided AS MATERIALIZED (
    SELECT login.user_pseudo_id,
           CASE WHEN min(identity.person_id) = max(identity.person_id) AND count(identity.person_id) = count(*)
                THEN min(identity.person_id) END AS person_id
    FROM login
    LEFT JOIN marts.person_identity AS identity ON identity.kind = 'user_id' AND identity.value = login.user_id
    GROUP BY login.user_pseudo_id
), unlinked AS (
    DELETE FROM marts.person_identity AS link
    USING decided
    WHERE link.kind = 'user_pseudo_id' AND link.value = decided.user_pseudo_id AND decided.person_id IS NULL
)
INSERT INTO marts.person_identity AS link (kind, value, person_id)
SELECT 'user_pseudo_id', decided.user_pseudo_id, decided.person_id
FROM decided
LEFT JOIN marts.person_identity AS known ON known.kind = 'user_pseudo_id' AND known.value = decided.user_pseudo_id
WHERE decided.person_id IS NOT NULL AND known.person_id IS DISTINCT FROM decided.person_id
ON CONFLICT (kind, value) DO UPDATE SET person_id = excluded.person_id
