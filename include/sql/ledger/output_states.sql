-- Where one kind of output stands for the messages of one night that the CRM confirmed, seen from one attempt. A message that is
-- older than the campaign's freshness and has no such output gets none.
-- Grain: one line. Reads ops.push_ledger, ops.push_output. Writes nothing.
-- Parameters: campaign, day (date), output, token (uuid), freshness_days (int), only (text[]: person ids; NULL: everybody).
SELECT count(*) FILTER (WHERE output.state = 'confirmed' AND output.claim_token <> %(token)s::uuid) AS already_written,
       count(*) FILTER (WHERE output.state IN ('claimed', 'sent')
                           OR (output.state = 'unknown' AND output.claim_token <> %(token)s::uuid)
                           OR (output.state IS NULL
                               AND ledger.changed_at > clock_timestamp() - make_interval(days => %(freshness_days)s::int))) AS waiting
FROM ops.push_ledger AS ledger
LEFT JOIN ops.push_output AS output
    ON output.campaign = ledger.campaign AND output.person_id = ledger.person_id AND output.slot = ledger.slot
    AND output.output = %(output)s
WHERE ledger.campaign = %(campaign)s AND ledger.day = %(day)s::date AND ledger.state = 'confirmed'
  AND (%(only)s::text[] IS NULL OR ledger.person_id = ANY (%(only)s::text[]))
