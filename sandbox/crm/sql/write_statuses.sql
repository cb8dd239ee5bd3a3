-- Record what addresses say about subscription types (0 = all e-mail), and show it in the opt-out properties of the
-- contacts that have them. Binds: statuses (JSON list of {email, subscription_id, status, legal_basis?, explanation?}), emails.
-- Writes crm.subscription_statuses, crm.contacts, crm.property_history.
WITH said AS MATERIALIZED (
    SELECT lower(email) AS email, subscription_id, status, legal_basis, explanation,
           date_trunc('milliseconds', clock_timestamp()) AS moment
    FROM jsonb_to_recordset(%(statuses)s::jsonb)
        AS s (email text, subscription_id bigint, status text, legal_basis text, explanation text)
),
recorded AS (
    INSERT INTO crm.subscription_statuses
        (email, subscription_id, status, legal_basis, legal_basis_explanation, changed_at)
    SELECT email, subscription_id, status, legal_basis, explanation, moment FROM said
    ON CONFLICT (email, subscription_id) DO UPDATE SET
        status = excluded.status, legal_basis = excluded.legal_basis,
        legal_basis_explanation = excluded.legal_basis_explanation, changed_at = excluded.changed_at
),
opt_outs AS (
    SELECT found.id, min(said.moment) AS moment,
           jsonb_object_agg(
               'hs_email_optout' || CASE WHEN subscription_id = 0 THEN '' ELSE '_' || subscription_id END,
               (status = 'UNSUBSCRIBED')::text) AS properties
    FROM said JOIN crm.find_contacts(%(emails)s::text[], 'email') AS found ON found.key = said.email
    GROUP BY found.id
),
history AS (
    INSERT INTO crm.property_history (contact_id, property, value, written_at)
    SELECT o.id, p.key, p.value, o.moment FROM opt_outs AS o CROSS JOIN jsonb_each_text(o.properties) AS p
)
UPDATE crm.contacts AS c
SET properties = c.properties || o.properties, modified_at = o.moment, written_at = o.moment
FROM opt_outs AS o
WHERE c.id = o.id
