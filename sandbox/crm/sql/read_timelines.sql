-- The living notes or tasks on the timelines of contacts; those of a contact that was merged are on its survivor's.
-- Binds: kind, contact_ids (of living contacts). Reads crm.engagement_contacts, crm.engagements, crm.merges.
SELECT DISTINCT owner.id AS contact_id, engagement.id
FROM unnest(%(contact_ids)s::bigint[]) AS owner (id)
CROSS JOIN LATERAL (SELECT owner.id UNION ALL SELECT losing_id FROM crm.merges WHERE survivor_id = owner.id) AS known (id)
JOIN crm.engagement_contacts AS shown ON shown.contact_id = known.id
JOIN crm.engagements AS engagement ON engagement.id = shown.engagement_id
WHERE engagement.kind = %(kind)s AND engagement.archived_at IS NULL
ORDER BY owner.id, engagement.id
