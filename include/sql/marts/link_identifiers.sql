-- user_id and e-mail lead to a person where exactly one person carries them: a shared address is not one person.
-- Grain: one identifier. Reads marts.person. Writes marts.person_identity. Parameters: none. A second run inserts nothing.
INSERT INTO marts.person_identity (kind, value, person_id)
SELECT kind, value, min(person_id)
FROM (
    SELECT 'user_id' AS kind, site_user_id AS value, person_id FROM marts.person
    WHERE site_user_id IS NOT NULL AND merged_into IS NULL
    UNION ALL
    SELECT 'email', email, person_id FROM marts.person
    WHERE email IS NOT NULL AND merged_into IS NULL
) AS carried
GROUP BY kind, value
HAVING count(DISTINCT person_id) = 1
ON CONFLICT (kind, value) DO NOTHING
