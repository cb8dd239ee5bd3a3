-- Fresh statistics of the night's audience, for the statements and the push that follow.
-- Grain: one table. Reads and writes nothing but statistics. Parameters: none.
ANALYZE marts.audience, ops.assignment
