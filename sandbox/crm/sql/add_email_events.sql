-- Add marketing e-mail events; an event whose id is there already is left alone. Binds: events (JSON list).
INSERT INTO crm.email_events (id, created_ms, type, recipient, campaign_id, event)
SELECT e ->> 'id', (e ->> 'created')::bigint, e ->> 'type', e ->> 'recipient', (e ->> 'emailCampaignId')::bigint, e
FROM jsonb_array_elements(%(events)s::jsonb) AS e
ON CONFLICT (id) DO NOTHING
