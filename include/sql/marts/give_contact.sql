-- The CRM made a new contact for a person who was separated: whoever that contact became is the same person.
-- Grain: one living contact. Reads marts.person_identity. Writes marts.person, marts.contact_change, ops.identity_event.
-- Parameters: person_id (without a living contact), new_crm_id (a living contact that leads to somebody else), decided_by, note.
-- marts/flatten_merges.sql and those after it let everything follow. A second run changes nothing.
WITH given AS (
    SELECT identity.person_id
    FROM marts.person_identity AS identity
    WHERE identity.kind = 'crm_id' AND identity.value = %(new_crm_id)s AND identity.person_id <> %(person_id)s
), merged AS (
    UPDATE marts.person AS person
    SET merged_into = %(person_id)s, crm_id = NULL
    FROM given
    WHERE person.person_id = given.person_id AND person.merged_into IS NULL
    RETURNING person.person_id
), noted AS (
    INSERT INTO marts.contact_change (crm_id)
    SELECT identity.value
    FROM marts.person_identity AS identity
    WHERE identity.kind = 'crm_id' AND identity.person_id IN (SELECT person_id FROM merged UNION ALL SELECT %(person_id)s)
), joined AS (
    INSERT INTO ops.identity_event (kind, person_id, other_person_id, reason, decided_by, note)
    SELECT 'merged', person_id, %(person_id)s, 'a person said so: contact ' || %(new_crm_id)s || ' is theirs', %(decided_by)s, %(note)s
    FROM merged
)
INSERT INTO ops.identity_event (kind, person_id, crm_id, reason, decided_by, note)
SELECT 'linked', %(person_id)s, %(new_crm_id)s, 'a person said so', %(decided_by)s, %(note)s
FROM merged
