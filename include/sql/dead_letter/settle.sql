-- Resolve dead letters that need nobody any more, whoever saw to it: a message that was settled; a person whom the CRM merged
-- into another one, for their slots are the survivor's; a person who was erased; copy that the guardrails pass by now.
-- Grain: one open dead letter. Reads ops.push_ledger, ops.push_output, marts.person, ops.copy. Writes ops.dead_letter. No parameters.
-- A second run changes nothing.
WITH message AS (
    SELECT dead_letter_id, substr(source, 5) AS output, split_part(key, '/', 1) AS campaign, split_part(key, '/', 2) AS person_id,
           substr(key, length(split_part(key, '/', 1)) + length(split_part(key, '/', 2)) + 3) AS slot
    FROM ops.dead_letter
    WHERE source IN ('crm.push', 'crm.note', 'crm.task') AND resolved_at IS NULL
), settled AS (
    SELECT message.dead_letter_id,
           CASE
               WHEN message.output = 'push' AND ledger.state IN ('confirmed', 'suppressed', 'superseded')
                   THEN ledger.state || ': ' || ledger.reason
               WHEN output.state IN ('confirmed', 'suppressed') THEN output.state || ': ' || output.reason
               WHEN person.person_id IS NULL THEN 'the person is not in the warehouse any more (erased): nobody writes to them'
               WHEN message.output = 'push' AND person.merged_into IS NOT NULL
                   THEN 'the person was merged into ' || person.merged_into || ', where this slot is '
                        || coalesce(survivor.state, 'not claimed')
           END AS resolution
    FROM message
    LEFT JOIN ops.push_ledger AS ledger USING (campaign, person_id, slot)
    LEFT JOIN ops.push_output AS output USING (campaign, person_id, slot, output)
    LEFT JOIN marts.person AS person ON person.person_id = message.person_id
    LEFT JOIN ops.push_ledger AS survivor
        ON survivor.campaign = message.campaign AND survivor.person_id = person.merged_into AND survivor.slot = message.slot
    UNION ALL
    SELECT letter.dead_letter_id, 'the piece passes the guardrails by now: ' || copy.verdict
    FROM ops.dead_letter AS letter
    JOIN ops.copy AS copy ON copy.request_hash = letter.key AND copy.verdict <> 'rejected'
    WHERE letter.source = 'llm.copy' AND letter.resolved_at IS NULL
)
UPDATE ops.dead_letter AS letter
SET resolved_at = clock_timestamp(), resolution = settled.resolution
FROM settled
WHERE letter.dead_letter_id = settled.dead_letter_id AND settled.resolution IS NOT NULL AND letter.resolved_at IS NULL
