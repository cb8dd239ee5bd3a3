-- Whom a person id, or the id of a contact, names, as far as a separation asks: the person to whom the contact led first.
-- Grain: one line, or none. Reads marts.person, marts.person_identity, marts.person_split, staging.contacts. Writes nothing.
-- Parameters: person_id, crm_id (one of them NULL).
SELECT person.person_id, person.merged_into, living.crm_id AS living_crm_id,
       EXISTS (SELECT FROM marts.person_split AS split WHERE split.person_id = person.person_id) AS was_separated,
       (SELECT array_agg(identity.value ORDER BY identity.value)
        FROM marts.person AS loser
        JOIN marts.person_identity AS identity ON identity.kind = 'crm_id' AND identity.first_person_id = loser.person_id
        WHERE loser.merged_into = person.person_id) AS swallowed_crm_ids
FROM marts.person AS person
LEFT JOIN staging.contacts AS living ON living.crm_id = person.crm_id
WHERE person.person_id = coalesce(
    %(person_id)s::text,
    (SELECT coalesce(first_person_id, person_id) FROM marts.person_identity WHERE kind = 'crm_id' AND value = %(crm_id)s::text))
