-- Room for the joins over a whole audience, for the rest of the transaction: a million people fit into hash tables instead of files.
-- Grain: one setting. Reads and writes nothing. Parameters: none.
SET LOCAL work_mem = '128MB'
