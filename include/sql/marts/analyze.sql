-- Fresh statistics after a load: on a new warehouse the planner would otherwise guess for hours.
-- Grain: one table. Reads and writes nothing but statistics. Parameters: none.
ANALYZE staging.contacts, staging.events, marts.person, marts.person_identity, ops.consent_event, ops.push_ledger
