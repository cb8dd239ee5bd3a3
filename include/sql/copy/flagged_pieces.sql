-- Flagged copy of one campaign's night that nobody decided on yet: what a reviewer is shown, the most widely used first.
-- Grain: one distinct piece. Reads ops.message, ops.copy, ops.copy_source, ops.fact, ops.approval. Writes nothing.
-- Parameters: campaign, day (date). A piece that timed out is asked for again when the step runs again.
SELECT copy.copy_id, min(message.message_id) AS message_id, copy.template_id || '@v' || copy.template_version AS template,
       copy.output, copy.reasons,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('id', source.fact_id, 'text', fact.text) ORDER BY source.fact_id), '[]')
        FROM ops.copy_source AS source
        LEFT JOIN ops.fact AS fact ON fact.fact_id = source.fact_id AND fact.version = source.fact_version
        WHERE source.copy_id = copy.copy_id) AS facts,
       count(*)::int AS people
FROM ops.message AS message
JOIN ops.copy AS copy USING (copy_id)
WHERE message.campaign = %(campaign)s AND message.day = %(day)s::date AND message.lane = 'approval'
  AND NOT EXISTS (
      SELECT FROM ops.approval AS approval
      WHERE approval.campaign = message.campaign AND approval.day = message.day AND approval.copy_id = message.copy_id
        AND approval.decision <> 'timed_out')
GROUP BY copy.copy_id
ORDER BY people DESC, copy.copy_id
