-- Empty the store; the definitions are created anew by the caller.
TRUNCATE crm.contacts, crm.engagements, crm.engagement_contacts, crm.merges, crm.property_history, crm.properties, crm.property_groups, crm.settings,
    crm.subscription_definitions, crm.subscription_statuses, crm.email_events;
ALTER SEQUENCE crm.contact_id RESTART
