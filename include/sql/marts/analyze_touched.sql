-- Tells the planner whether a night of ten contacts or a first load of a million is at hand.
-- Grain: one table. Reads and writes nothing but statistics. Parameters: none.
ANALYZE touched
