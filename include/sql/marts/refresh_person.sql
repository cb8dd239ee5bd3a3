-- A person carries what the CRM says today; a person without a living contact keeps only the id and may not be written to.
-- The addresses and user_ids that came or went are looked at afterwards: who else carries them?
-- Grain: one person. Reads pg_temp.touched (person_id), staging.contacts, marts.person_identity. Writes marts.person, pg_temp.touched
-- (email, user_id). Parameters: none. A second run updates nothing.
WITH today AS (
    SELECT known.person_id, known.email AS former_email, known.site_user_id AS former_user_id,
           contact.crm_id, contact.email, contact.site_user_id, contact.region, contact.consent_at,
           coalesce(CASE WHEN contact.is_opted_out THEN 'denied' ELSE contact.consent_status END, 'unknown') AS consent_status
    FROM (SELECT DISTINCT value AS person_id FROM touched WHERE kind = 'person_id') AS touched_person
    JOIN marts.person AS known USING (person_id)
    LEFT JOIN (
        SELECT DISTINCT ON (identity.person_id)
               identity.person_id, staged.crm_id, staging.address_key(staged.email) AS email, staged.site_user_id, staged.region,
               staged.consent_at, staged.is_opted_out, staged.consent_status
        FROM (SELECT DISTINCT value AS person_id FROM touched WHERE kind = 'person_id') AS touched_person
        JOIN marts.person_identity AS identity USING (person_id)
        JOIN staging.contacts AS staged ON staged.crm_id = identity.value
        WHERE identity.kind = 'crm_id'
        ORDER BY identity.person_id, staged.crm_id  -- one at most; were there two, any order of loading must give the same
    ) AS contact USING (person_id)
), refreshed AS (
    UPDATE marts.person AS person
    SET crm_id = today.crm_id,
        email = today.email,
        site_user_id = today.site_user_id,
        region = today.region,
        consent_status = today.consent_status,
        consent_at = today.consent_at
    FROM today
    WHERE today.person_id = person.person_id
      AND (person.crm_id, person.email, person.site_user_id, person.region, person.consent_status, person.consent_at)
          IS DISTINCT FROM
          (today.crm_id, today.email, today.site_user_id, today.region, today.consent_status, today.consent_at)
    RETURNING today.former_email, today.email, today.former_user_id, today.site_user_id
)
INSERT INTO touched (kind, value)
SELECT DISTINCT identifier.kind, identifier.value
FROM refreshed
CROSS JOIN LATERAL (
    VALUES ('email', former_email), ('email', email), ('user_id', former_user_id), ('user_id', site_user_id)
) AS identifier (kind, value)
WHERE identifier.value IS NOT NULL
