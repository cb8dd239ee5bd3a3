-- Draws an arm for everyone who may be written to and has none yet in this experiment; a drawn arm stays.
-- Grain: one person. Reads marts.audience. Writes ops.assignment. The draw is a hash of experiment and person, so it can be checked.
-- Parameters: campaign, day (date), experiment, ai_share, static_share (what is left gets no message). A second run inserts nothing.
INSERT INTO ops.assignment (experiment, person_id, arm, assigned_on)
SELECT %(experiment)s, drawn.person_id,
       CASE
           WHEN drawn.position < %(ai_share)s::float THEN 'ai'
           WHEN drawn.position < %(ai_share)s::float + %(static_share)s::float THEN 'static'
           ELSE 'none'
       END,
       %(day)s::date
FROM (
    SELECT person_id,
           ('x' || left(md5(%(experiment)s || ':' || person_id), 8))::bit(32)::bigint / 4294967296.0 AS position
    FROM marts.audience
    WHERE campaign = %(campaign)s AND day = %(day)s::date AND suppressed_reason IS NULL
) AS drawn
ON CONFLICT (experiment, person_id) DO NOTHING
