-- Outputs of this attempt whose outcome is not known.
-- Grain: one output, at most `rows`, by key after `after`. Reads ops.push_output, ops.push_ledger. Writes nothing.
-- Parameters: campaign, output, token (uuid), after, rows.
SELECT output.output_key AS key, ledger.crm_id
FROM ops.push_output AS output
JOIN ops.push_ledger AS ledger USING (campaign, person_id, slot)
WHERE output.state = 'unknown' AND output.campaign = %(campaign)s AND output.output = %(output)s
  AND output.claim_token = %(token)s::uuid AND output.output_key > %(after)s
ORDER BY output.output_key
LIMIT %(rows)s
