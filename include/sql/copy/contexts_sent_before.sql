-- The distinct contexts of the people who got a night's message from an earlier run of it: for them nothing is written any more.
-- Grain: one context and arm. Reads marts.audience, marts.person_member, ops.push_ledger, ops.assignment. Writes nothing.
-- Parameters: campaign, day (date).
SELECT audience.context::text, assignment.arm, count(*)
FROM marts.audience AS audience
JOIN marts.person_member AS member ON member.person_id = audience.person_id
JOIN ops.push_ledger AS sent
    ON sent.campaign = audience.campaign AND sent.person_id = member.member_id AND sent.slot = audience.slot
JOIN ops.assignment AS assignment ON assignment.experiment = audience.campaign AND assignment.person_id = audience.person_id
WHERE audience.campaign = %(campaign)s AND audience.day = %(day)s::date AND audience.suppressed_reason = 'already_sent_this_slot'
  AND sent.day = audience.day AND sent.state = 'confirmed' AND sent.claimed_at < audience.selected_at
  AND assignment.arm IN ('ai', 'static')
GROUP BY audience.context, assignment.arm
ORDER BY audience.context::text, assignment.arm
