-- What the CRM says of consent is kept whenever it is news: who, when, from where, under which words. Whoever reads takes the latest by happened_at,
-- so a date may never make a grant newer than it is: a grant is dated by the CRM's consent time, never by the record's last change;
-- a denial by the last change, which is never too early. "unknown" states nothing and is not kept.
-- Grain: one statement of one person. Reads pg_temp.touched (person_id: whose contact changed), marts.person, marts.person_member,
-- staging.contacts, raw_hubspot.contacts, ops.consent_event. Writes ops.consent_event. Parameters: none. A second run inserts nothing.
WITH stated AS MATERIALIZED (
    SELECT person.person_id, person.consent_status AS status,
           CASE WHEN person.consent_status = 'denied' THEN contact.modified_at
                ELSE coalesce(contact.consent_at, delivered.created_at) END AS happened_at,
           contact.consent_at IS NULL AS is_undated,
           contact.modified_at,
           CASE WHEN contact.is_opted_out THEN 'hubspot.contacts: opt-out from e-mail'
                ELSE coalesce('hubspot.contacts: ' || contact.consent_source, 'hubspot.contacts') END AS source,
           CASE WHEN person.consent_status = 'granted' THEN contact.consent_text END AS legal_text
    FROM marts.person AS person
    JOIN staging.contacts AS contact USING (crm_id)
    JOIN raw_hubspot.contacts AS delivered USING (crm_id)
    WHERE person.consent_status IN ('granted', 'denied')
      AND person.person_id IN (SELECT value FROM touched WHERE kind = 'person_id')
), crm_event AS (
    SELECT person_id, status, happened_at
    FROM ops.consent_event
    WHERE starts_with(source, 'hubspot.contacts') AND person_id IN (SELECT person_id FROM stated)
), last_crm_event AS (
    SELECT DISTINCT ON (person_id) person_id, status
    FROM crm_event
    ORDER BY person_id, happened_at DESC, status = 'denied' DESC
), heard AS (
    SELECT DISTINCT member.person_id
    FROM marts.person_member AS member
    JOIN ops.consent_event AS kept ON kept.person_id = member.member_id
    WHERE member.person_id IN (SELECT person_id FROM stated)
)
INSERT INTO ops.consent_event (person_id, status, happened_at, source, legal_text)
SELECT stated.person_id, stated.status, stated.happened_at, stated.source, stated.legal_text
FROM stated
LEFT JOIN last_crm_event USING (person_id)
LEFT JOIN crm_event AS same_grant
    ON same_grant.person_id = stated.person_id AND same_grant.status = 'granted' AND same_grant.happened_at = stated.happened_at
LEFT JOIN heard ON heard.person_id = stated.person_id
WHERE CASE stated.status
    WHEN 'denied' THEN last_crm_event.status IS DISTINCT FROM 'denied'
    WHEN 'granted' THEN same_grant.person_id IS NULL
        -- A date in the future would outrank every denial until then; a day is left for clocks and time zones.
        AND stated.happened_at <= stated.modified_at + interval '1 day'
        -- Nobody knows when an undated grant was given: it is kept only where there is nothing that it could outrank.
        AND NOT (stated.is_undated AND heard.person_id IS NOT NULL)
END
ON CONFLICT DO NOTHING
