-- A merge that was wrong: the person, and whoever was merged through them, are told apart from the survivor and the others.
-- What happened stays with whom it happened to: the ledger is not touched, marts.person_kin lets messages from before count for both.
-- Both keep their arms: where the person has none of their own, it is the one that both had. A denial given while they were one
-- counts for both, for nobody knows whose it was; a grant is not handed on.
-- Grain: one separated person. Reads ops.identity_event, marts.person. Writes marts.person, marts.person_identity, marts.person_split,
-- marts.contact_split, marts.contact_change, ops.identity_event, ops.assignment, ops.consent_event.
-- Parameters: person_id (merged into someone), decided_by, note. The links of addresses, user_ids and devices are derived anew by
-- the statements of resolve_identity, which the contacts noted here make look. A second run changes nothing.
WITH RECURSIVE survivor AS (
    SELECT merged_into AS person_id FROM marts.person WHERE person_id = %(person_id)s AND merged_into IS NOT NULL
), member AS (
    SELECT person.person_id, event.other_person_id AS through_id, event.happened_at AS merged_at
    FROM survivor
    JOIN marts.person AS person ON person.merged_into = survivor.person_id
    LEFT JOIN LATERAL (
        SELECT other_person_id, happened_at
        FROM ops.identity_event
        WHERE kind = 'merged' AND identity_event.person_id = person.person_id
        ORDER BY identity_event_id DESC
        LIMIT 1
    ) AS event ON true
), leaving AS (
    SELECT person_id FROM member WHERE person_id = %(person_id)s
    UNION
    SELECT member.person_id FROM leaving JOIN member ON member.through_id = leaving.person_id
), staying AS (
    SELECT person_id FROM survivor
    UNION
    SELECT person_id FROM member WHERE person_id NOT IN (SELECT person_id FROM leaving)
), contact AS (
    SELECT identity.value AS crm_id, identity.first_person_id IN (SELECT person_id FROM leaving) AS is_leaving
    FROM survivor
    JOIN marts.person_identity AS identity USING (person_id)
    WHERE identity.kind = 'crm_id'
), separated AS (
    UPDATE marts.person
    SET merged_into = CASE WHEN person_id <> %(person_id)s THEN %(person_id)s END
    WHERE person_id IN (SELECT person_id FROM leaving)
), freed AS (
    -- Before refresh_person.sql gives it to whom it belongs: a contact has one person at any moment.
    UPDATE marts.person SET crm_id = NULL WHERE crm_id IN (SELECT crm_id FROM contact WHERE is_leaving)
), own_contact AS (
    UPDATE marts.person_identity AS identity
    SET person_id = %(person_id)s
    FROM contact
    WHERE identity.kind = 'crm_id' AND identity.value = contact.crm_id AND contact.is_leaving
), contacts_apart AS (
    INSERT INTO marts.contact_split (crm_id, from_crm_id)
    SELECT leaving.crm_id, staying.crm_id FROM contact AS leaving, contact AS staying WHERE leaving.is_leaving AND NOT staying.is_leaving
    ON CONFLICT (crm_id, from_crm_id) DO UPDATE SET split_at = excluded.split_at
), people_apart AS (
    INSERT INTO marts.person_split (person_id, from_person_id, split_at)
    SELECT leaving.person_id, staying.person_id, clock_timestamp() FROM leaving, staying
    ON CONFLICT (person_id, from_person_id) DO UPDATE SET split_at = excluded.split_at
), arm AS (
    INSERT INTO ops.assignment (experiment, person_id, arm, assigned_on)
    SELECT experiment, %(person_id)s, arm, assigned_on FROM ops.assignment JOIN survivor USING (person_id)
    ON CONFLICT (experiment, person_id) DO NOTHING
), denial AS (
    INSERT INTO ops.consent_event (person_id, status, happened_at, source)
    SELECT %(person_id)s, 'denied', max(event.happened_at) FILTER (WHERE event.status = 'denied' AND event.recorded_at >= member.merged_at),
           'un-merge: denial of the person for whom they were taken'
    FROM survivor
    JOIN ops.consent_event AS event USING (person_id)
    JOIN member ON member.person_id = %(person_id)s
    HAVING max(event.happened_at) FILTER (WHERE event.status = 'denied' AND event.recorded_at >= member.merged_at)
        >= coalesce(max(event.happened_at) FILTER (WHERE event.status = 'granted'), '-infinity')
    ON CONFLICT DO NOTHING
), noted AS (
    INSERT INTO marts.contact_change (crm_id) SELECT crm_id FROM contact
)
INSERT INTO ops.identity_event (kind, person_id, other_person_id, reason, decided_by, note)
SELECT 'unmerged', %(person_id)s, survivor.person_id,
       'a person told them apart: contacts '
           || coalesce((SELECT string_agg(crm_id, ', ' ORDER BY crm_id) FROM contact WHERE is_leaving), '(none)') || ' from '
           || coalesce((SELECT string_agg(crm_id, ', ' ORDER BY crm_id) FROM contact WHERE NOT is_leaving), '(none)'),
       %(decided_by)s, %(note)s
FROM survivor
RETURNING other_person_id
