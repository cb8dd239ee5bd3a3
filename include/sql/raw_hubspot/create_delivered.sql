-- Grain: one delivery of one contact; the same contact may come twice (the living and the archived list). Lives as long as
-- the transaction. Writes pg_temp.delivered_contact, which COPY fills. Parameters: none.
CREATE TEMP TABLE delivered_contact (LIKE raw_hubspot.contacts) ON COMMIT DROP
