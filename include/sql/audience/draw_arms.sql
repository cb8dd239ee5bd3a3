-- Gives everyone who may be written to and has no arm yet in this experiment the arm of the person whom they swallowed (the one
-- drawn first), else draws one; a drawn arm stays. Who has no basis of consent yet gets none, so a run of the same night that
-- begins anew beside this one cannot slip anybody past the consent step.
-- Grain: one person. Reads marts.audience, marts.person_member, ops.assignment. Writes ops.assignment.
-- The draw is a hash of experiment and person, so it can be checked.
-- Parameters: campaign, day (date), experiment, ai_share, static_share (what is left gets no message). A second run inserts nothing.
WITH drawn AS (
    SELECT person_id,
           ('x' || left(md5(%(experiment)s || ':' || person_id), 8))::bit(32)::bigint / 4294967296.0 AS position
    FROM marts.audience
    WHERE campaign = %(campaign)s AND day = %(day)s::date AND suppressed_reason IS NULL AND consent_basis IS NOT NULL
), inherited AS (
    SELECT DISTINCT ON (member.person_id) member.person_id, assignment.arm, assignment.assigned_on
    FROM marts.person_member AS member
    JOIN ops.assignment AS assignment ON assignment.person_id = member.member_id
    WHERE assignment.experiment = %(experiment)s AND member.person_id <> member.member_id
    ORDER BY member.person_id, assignment.assigned_on, member.member_id
)
INSERT INTO ops.assignment (experiment, person_id, arm, assigned_on)
SELECT %(experiment)s, drawn.person_id,
       CASE
           WHEN inherited.arm IS NOT NULL THEN inherited.arm
           WHEN drawn.position < %(ai_share)s::float THEN 'ai'
           WHEN drawn.position < %(ai_share)s::float + %(static_share)s::float THEN 'static'
           ELSE 'none'
       END,
       coalesce(inherited.assigned_on, %(day)s::date)
FROM drawn
LEFT JOIN inherited USING (person_id)
ORDER BY drawn.person_id  -- nights of two days at once draw for the same people: in one order they wait, in two they deadlock
ON CONFLICT (experiment, person_id) DO NOTHING
