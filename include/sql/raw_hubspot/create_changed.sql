-- Grain: one contact whose stored row this load changed; staging follows only these. Lives as long as the transaction.
-- Writes pg_temp.changed_contact. Parameters: none.
CREATE TEMP TABLE changed_contact (crm_id text PRIMARY KEY) ON COMMIT DROP
