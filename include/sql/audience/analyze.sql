-- Fresh statistics of the night's audience, for the statements and the push that follow: each step of the night fills columns that were
-- empty until then, and whoever plans with "always empty" loops over all pairs of people (100,000 on a first night: minutes, not seconds).
-- Grain: one table. Reads and writes nothing but statistics. Parameters: none.
ANALYZE marts.audience, ops.assignment
