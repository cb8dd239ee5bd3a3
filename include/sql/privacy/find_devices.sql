-- The person's devices: linked to them, or one on which nobody else ever logged in. A device that others use is theirs too.
-- Grain: one device. Reads ops.privacy_subject, marts.person_identity, staging.events. Writes ops.privacy_subject, returns nothing.
-- Parameters: request_id. A second run inserts nothing.
WITH own_user AS (
    SELECT value AS user_id FROM ops.privacy_subject WHERE request_id = %(request_id)s AND kind = 'user_id'
), own_device AS (
    SELECT user_pseudo_id FROM staging.events WHERE user_id IN (SELECT user_id FROM own_user) AND user_pseudo_id IS NOT NULL
    UNION
    SELECT value FROM marts.person_identity
    WHERE kind = 'user_pseudo_id'
      AND person_id IN (SELECT value FROM ops.privacy_subject WHERE request_id = %(request_id)s AND kind = 'person_id')
)
INSERT INTO ops.privacy_subject (request_id, kind, value)
SELECT %(request_id)s, 'user_pseudo_id', user_pseudo_id
FROM own_device
WHERE NOT EXISTS (
    SELECT FROM staging.events AS event
    WHERE event.user_pseudo_id = own_device.user_pseudo_id AND event.user_id NOT IN (SELECT user_id FROM own_user)
)
ON CONFLICT DO NOTHING
