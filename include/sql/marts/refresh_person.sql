-- A person carries what the CRM says today; a person without a living contact keeps only the id and may not be written to.
-- Grain: one person. Reads staging.contacts, marts.person_identity. Writes marts.person. Parameters: none. A second run updates nothing.
UPDATE marts.person AS person
SET crm_id = today.crm_id,
    email = today.email,
    site_user_id = today.site_user_id,
    region = today.region,
    consent_status = today.consent_status,
    consent_at = today.consent_at
FROM (
    SELECT known.person_id, contact.crm_id, contact.email, contact.site_user_id, contact.region,
           coalesce(CASE WHEN contact.is_opted_out THEN 'denied' ELSE contact.consent_status END, 'unknown') AS consent_status,
           contact.consent_at
    FROM marts.person AS known
    LEFT JOIN (
        marts.person_identity AS identity
        JOIN staging.contacts AS contact ON identity.kind = 'crm_id' AND contact.crm_id = identity.value
    ) ON identity.person_id = known.person_id
) AS today
WHERE today.person_id = person.person_id
  AND (person.crm_id, person.email, person.site_user_id, person.region, person.consent_status, person.consent_at)
      IS DISTINCT FROM
      (today.crm_id, today.email, today.site_user_id, today.region, today.consent_status, today.consent_at)
