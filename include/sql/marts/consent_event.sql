-- Each change of consent is kept: who, when, from where.
-- Grain: one change of one person's consent. Reads marts.person, staging.contacts. Writes ops.consent_event.
-- Parameters: none. A second run inserts nothing: only a status that differs from the last one kept is new.
INSERT INTO ops.consent_event (person_id, status, happened_at, source)
SELECT person.person_id, person.consent_status,
       CASE WHEN last_kept.status IS NULL THEN coalesce(person.consent_at, contact.modified_at) ELSE contact.modified_at END,
       coalesce('hubspot.contacts: ' || contact.consent_source, 'hubspot.contacts')
FROM marts.person AS person
JOIN staging.contacts AS contact ON contact.crm_id = person.crm_id
LEFT JOIN LATERAL (
    SELECT kept.status FROM ops.consent_event AS kept
    WHERE kept.person_id = person.person_id
    ORDER BY kept.consent_event_id DESC LIMIT 1
) AS last_kept ON true
WHERE person.consent_status IS DISTINCT FROM last_kept.status
ON CONFLICT DO NOTHING
