-- Every living CRM contact that is nobody yet becomes a person.
-- Grain: one person. Reads staging.contacts. Writes marts.person, marts.person_identity.
-- Parameters: none. A second run inserts nothing; the id follows from the CRM id, so a rebuilt warehouse gives the same ids.
WITH newcomer AS (
    SELECT contact.crm_id, 'p_' || md5('crm:' || contact.crm_id) AS person_id
    FROM staging.contacts AS contact
    WHERE NOT EXISTS (
        SELECT FROM marts.person_identity AS known WHERE known.kind = 'crm_id' AND known.value = contact.crm_id
    )
), person AS (
    INSERT INTO marts.person (person_id, crm_id, consent_status)
    SELECT person_id, crm_id, 'unknown' FROM newcomer
    ON CONFLICT (person_id) DO NOTHING
)
INSERT INTO marts.person_identity (kind, value, person_id)
SELECT 'crm_id', crm_id, person_id FROM newcomer
