-- Writes the drawn arm onto tonight's audience; the suppressed, and those whose consent was not looked at, have none.
-- Grain: one person of one campaign's night. Reads ops.assignment. Writes marts.audience.
-- Parameters: campaign, day (date), experiment. A second run gives the same result.
UPDATE marts.audience AS audience
SET arm = CASE WHEN audience.suppressed_reason IS NULL AND audience.consent_basis IS NOT NULL THEN assignment.arm END
FROM ops.assignment AS assignment
WHERE audience.campaign = %(campaign)s AND audience.day = %(day)s::date
  AND assignment.experiment = %(experiment)s AND assignment.person_id = audience.person_id
  AND (audience.arm IS NOT NULL OR audience.suppressed_reason IS NULL)  -- no empty arm is written over an empty one
