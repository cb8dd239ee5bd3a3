-- A person's consent and region follow the contact; who the person is, the night decides.
-- Grain: one person. Reads pg_temp.touched (person_id), staging.contacts. Writes marts.person. Parameters: none. A second run updates
-- nothing.
WITH today AS (
    SELECT known.person_id, contact.region, contact.consent_at,
           CASE WHEN contact.is_opted_out THEN 'denied' ELSE coalesce(contact.consent_status, 'unknown') END AS consent_status
    FROM touched
    JOIN marts.person AS known ON touched.kind = 'person_id' AND known.person_id = touched.value
    JOIN staging.contacts AS contact USING (crm_id)
)
UPDATE marts.person AS person
SET region = today.region, consent_status = today.consent_status, consent_at = today.consent_at
FROM today
WHERE person.person_id = today.person_id
  AND (person.region, person.consent_status, person.consent_at) IS DISTINCT FROM (today.region, today.consent_status, today.consent_at)
