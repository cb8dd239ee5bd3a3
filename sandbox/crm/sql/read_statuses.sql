-- What each address says about each subscription type: one row per address and type.
-- "No e-mail at all" (subscription 0, or hs_email_optout of the contact) wins over what was said about one type.
-- Binds: emails (lower case). Reads crm.subscription_definitions, crm.subscription_statuses, crm.contacts.
SELECT a.email, d.id, d.name, d.description, said.legal_basis, said.legal_basis_explanation,
       coalesce(said.changed_at, everything.changed_at, c.modified_at) AS changed_at,
       everything.email IS NOT NULL OR coalesce(c.properties ->> 'hs_email_optout' = 'true', false) AS is_opted_out_of_all,
       CASE
           WHEN everything.email IS NOT NULL OR c.properties ->> 'hs_email_optout' = 'true' THEN 'UNSUBSCRIBED'
           WHEN c.properties ->> ('hs_email_optout_' || d.id) = 'true' THEN 'UNSUBSCRIBED'
           ELSE coalesce(said.status, 'NOT_SPECIFIED')
       END AS status
FROM unnest(%(emails)s::text[]) WITH ORDINALITY AS a (email, position)
CROSS JOIN crm.subscription_definitions AS d
LEFT JOIN crm.subscription_statuses AS said ON said.email = a.email AND said.subscription_id = d.id
LEFT JOIN crm.subscription_statuses AS everything ON everything.email = a.email AND everything.subscription_id = 0
LEFT JOIN crm.find_contacts(%(emails)s::text[], 'email') AS found ON found.key = a.email
LEFT JOIN crm.contacts AS c ON c.id = found.id
ORDER BY a.position, d.id
