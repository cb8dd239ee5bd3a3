-- One night at a time decides who is who: a second run (a backfill beside the nightly one) waits here until the first has committed.
-- Grain: the whole task. Reads nothing. Writes nothing; the lock ends with the transaction. Parameters: none.
SELECT pg_advisory_xact_lock(hashtext('marts.person'))
