-- For whom a message was chosen or to whom it went, with the GA4 event and the CRM fields behind it, each decision over consent, and
-- where it stands. Ids only.
-- Grain: one person and night, at most 20. Reads ops.message_recipient, ops.consent_decision. Writes nothing. Binds message_id, person_id (NULL: anyone).
SELECT recipient.*, (
    SELECT coalesce(json_agg(json_build_object(
               'stage', stage, 'is_allowed', is_allowed, 'region', region, 'rule', rule, 'basis', basis,
               'decided_at', decided_at AT TIME ZONE 'UTC')
           ORDER BY consent_decision_id), '[]')
    FROM ops.consent_decision AS decision
    WHERE decision.campaign = recipient.campaign AND decision.person_id = recipient.person_id AND decision.slot = recipient.slot
      AND decision.day = recipient.day
) AS consent
FROM ops.message_recipient AS recipient
WHERE message_id = %(message_id)s AND (%(person_id)s::text IS NULL OR person_id = %(person_id)s)
ORDER BY day DESC, person_id
LIMIT 20
