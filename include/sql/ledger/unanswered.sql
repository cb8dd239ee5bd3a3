-- Slots of this attempt whose outcome is not known.
-- Grain: one slot, at most `rows`, by person_id and slot after (after_person, after_slot). Reads ops.push_ledger. Writes nothing.
-- Parameters: campaign, token (uuid), after_person, after_slot, rows.
SELECT person_id, slot, crm_id, message_id
FROM ops.push_ledger
WHERE state = 'unknown' AND campaign = %(campaign)s AND claim_token = %(token)s::uuid
  AND (person_id, slot) > (%(after_person)s, %(after_slot)s)
ORDER BY person_id, slot
LIMIT %(rows)s
