-- Flagged copy of one campaign's night and what was decided on it, the most widely used first.
-- Verdict and reasons are those that held when it was decided; where nobody has decided, the newest.
-- Grain: one distinct piece. Reads ops.message, ops.copy, ops.copy_verdict, ops.copy_source, ops.fact, ops.approval. Writes nothing.
-- Binds campaign, day.
SELECT copy.copy_id, min(message.message_id) AS message_id, copy.template_id || '@v' || copy.template_version AS template,
       copy.output, held.verdict, held.confidence, held.reasons,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('id', source.fact_id, 'text', fact.text) ORDER BY source.fact_id), '[]')
        FROM ops.copy_source AS source
        LEFT JOIN ops.fact AS fact ON fact.fact_id = source.fact_id AND fact.version = source.fact_version
        WHERE source.copy_id = copy.copy_id) AS facts,
       count(*) AS people,
       approval.decision, approval.reason, approval.reviewer, approval.note, approval.decided_at,
       edited.output AS edited_output
FROM ops.message AS message
JOIN ops.copy AS copy USING (copy_id)
LEFT JOIN ops.approval AS approval
    ON approval.campaign = message.campaign AND approval.day = message.day AND approval.copy_id = message.copy_id
LEFT JOIN ops.copy AS edited ON edited.copy_id = approval.edited_copy_id
CROSS JOIN LATERAL ops.verdict_at(copy.copy_id, approval.decided_at) AS held
WHERE message.campaign = %(campaign)s AND message.day = %(day)s::date AND message.lane = 'approval'
GROUP BY copy.copy_id, approval.campaign, approval.day, approval.copy_id, edited.copy_id, held.verdict, held.confidence, held.reasons
ORDER BY people DESC, copy.copy_id
