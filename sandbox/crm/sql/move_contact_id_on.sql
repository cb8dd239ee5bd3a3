-- New contacts get ids above every id that was ever seeded or merged away. Moves the sequence crm.contact_id.
SELECT setval('crm.contact_id', greatest(
    nextval('crm.contact_id'),
    (SELECT coalesce(max(id), 0) + 1 FROM crm.contacts),
    (SELECT coalesce(max(losing_id), 0) + 1 FROM crm.merges)), false)
