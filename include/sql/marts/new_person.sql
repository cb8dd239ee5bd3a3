-- Every living CRM contact that is nobody yet becomes a person.
-- Grain: one person. Reads pg_temp.touched (crm_id), staging.contacts. Writes marts.person, marts.person_identity.
-- Parameters: none. A second run inserts nothing; the id follows from the CRM id, so a rebuilt warehouse gives the same ids.
WITH newcomer AS (
    -- EXCEPT is worked out before the first row is written; an anti-join would read again and again what is being written.
    SELECT crm_id, 'p_' || md5('crm:' || crm_id) AS person_id
    FROM (
        SELECT contact.crm_id FROM touched JOIN staging.contacts AS contact ON contact.crm_id = touched.value WHERE touched.kind = 'crm_id'
        EXCEPT
        SELECT known.value
        FROM touched
        JOIN marts.person_identity AS known ON known.kind = 'crm_id' AND known.value = touched.value
        WHERE touched.kind = 'crm_id'
    ) AS unknown
), person AS (
    INSERT INTO marts.person (person_id, crm_id, consent_status)
    SELECT person_id, crm_id, 'unknown' FROM newcomer
    ON CONFLICT (person_id) DO NOTHING
)
INSERT INTO marts.person_identity (kind, value, person_id, first_person_id)
SELECT 'crm_id', crm_id, person_id, person_id FROM newcomer
