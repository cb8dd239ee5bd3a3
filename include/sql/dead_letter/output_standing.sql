-- Where the notes and tasks of dead letters stand, in the columns of push_standing.sql. They are written for the night's confirmed
-- messages of either lane.
-- Grain: one dead letter of the sources crm.note and crm.task of `ids`, by id. Reads ops.dead_letter, ops.push_output.
-- Writes nothing. Parameters: ids (bigint[]).
WITH letter AS (
    SELECT dead_letter_id, substr(source, 5) AS output, split_part(key, '/', 1) AS campaign, split_part(key, '/', 2) AS person_id,
           substr(key, length(split_part(key, '/', 1)) + length(split_part(key, '/', 2)) + 3) AS slot
    FROM ops.dead_letter
    WHERE source IN ('crm.note', 'crm.task') AND dead_letter_id = ANY (%(ids)s::bigint[])
)
SELECT letter.dead_letter_id, letter.campaign, letter.person_id, output.state, output.reason, coalesce(output.attempts, 0) AS attempts,
       output.day::text AS day, 'ready' AS lane, false AS is_undecided, NULL AS stopped
FROM letter
LEFT JOIN ops.push_output AS output USING (campaign, person_id, slot, output)
ORDER BY letter.dead_letter_id
