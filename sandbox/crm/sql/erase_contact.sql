-- Remove a contact and everything that says who it was (GDPR deletion). Binds: id, as found by its key.
-- Writes crm.contacts, crm.property_history, crm.merges, crm.subscription_statuses, crm.email_events, crm.engagements: notes and
-- tasks go with the contact whose timeline shows them.
WITH gone AS (
    DELETE FROM crm.contacts WHERE id = %(id)s RETURNING id, emails
),
merged AS (
    DELETE FROM crm.merges WHERE survivor_id = %(id)s RETURNING losing_id
),
history AS (
    DELETE FROM crm.property_history WHERE contact_id = %(id)s OR contact_id IN (SELECT losing_id FROM merged)
),
shown AS (
    DELETE FROM crm.engagements WHERE id IN (
        SELECT engagement_id FROM crm.engagement_contacts
        WHERE contact_id = %(id)s OR contact_id IN (SELECT losing_id FROM merged))
),
statuses AS (
    DELETE FROM crm.subscription_statuses USING gone WHERE email = ANY (gone.emails)
)
DELETE FROM crm.email_events USING gone WHERE lower(recipient) = ANY (gone.emails)
