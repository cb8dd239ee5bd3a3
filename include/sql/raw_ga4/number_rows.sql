-- Runs in DuckDB, inside the load: the row_number of every event of one GA4 day, unfit ones included.
-- Grain: one exported event. Reads delivered, writes numbered (both of this load only). No parameters.
-- Time first, then content: the same rows get the same numbers in whatever order BigQuery delivers them.
CREATE TABLE numbered AS
SELECT rowid AS place, row_number() OVER (ORDER BY event_us NULLS FIRST, digest) AS row_number
FROM delivered;
