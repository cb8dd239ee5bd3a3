-- Rows of the audience beyond the first of their person or of their CRM record.
-- Grain: one row. Reads marts.audience of one campaign and day. Writes nothing. Binds :campaign, :day.
WITH ranked AS (
    SELECT
        crm_id,
        row_number() OVER (PARTITION BY person_id ORDER BY crm_id) AS place_of_person,
        row_number() OVER (PARTITION BY crm_id ORDER BY person_id) AS place_of_record
    FROM marts.audience
    WHERE campaign = :campaign AND day = CAST(:day AS date)
),
extra AS (
    SELECT crm_id FROM ranked WHERE place_of_person > 1 OR place_of_record > 1
)
SELECT
    CAST(count(*) AS double precision) AS observed,
    format('%s rows repeat a person or a CRM record', count(*)) AS found,
    (SELECT coalesce(jsonb_agg(crm_id), '[]') FROM (SELECT crm_id FROM extra ORDER BY crm_id LIMIT 20) AS offending) AS sample_keys
FROM extra
