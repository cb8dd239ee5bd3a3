-- The living contacts on whose timelines notes or tasks are. Binds: kind, ids. Reads crm.engagements, crm.engagement_contacts,
-- crm.merges, crm.contacts.
SELECT DISTINCT engagement.id, contact.id AS contact_id
FROM crm.engagements AS engagement
JOIN crm.engagement_contacts AS shown ON shown.engagement_id = engagement.id
LEFT JOIN crm.merges AS merge ON merge.losing_id = shown.contact_id
JOIN crm.contacts AS contact ON contact.id = coalesce(merge.survivor_id, shown.contact_id) AND contact.archived_at IS NULL
WHERE engagement.kind = %(kind)s AND engagement.id::text = ANY (%(ids)s) AND engagement.archived_at IS NULL
ORDER BY engagement.id, contact.id
