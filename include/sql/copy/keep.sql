-- Stores pieces of copy with the sources that they cite, in the order of their hash: runs with the same requests never deadlock.
-- Grain: one distinct request. Writes ops.copy, ops.copy_source; gives back what it stored. Parameters: pieces (JSON: a list of the
-- columns of ops.copy, and `cited`: a list of fact_id, fact_version, source). A request that has its answer keeps it: nothing is
-- written or given back.
WITH piece AS MATERIALIZED (
    SELECT *
    FROM jsonb_to_recordset(%(pieces)s) AS piece (
        copy_id text, request_hash text, campaign text, template_id text, template_version integer, origin text, model text,
        parameters jsonb, context jsonb, fact_ids jsonb, output jsonb, verdict text, reasons jsonb, confidence double precision,
        cited jsonb)
), kept AS (
    INSERT INTO ops.copy (
        copy_id, request_hash, campaign, template_id, template_version, origin, model, parameters,
        context, fact_ids, output, verdict, reasons, confidence
    )
    SELECT copy_id, request_hash, campaign, template_id, template_version, origin, model, parameters,
           context, fact_ids, output, verdict, reasons, confidence
    FROM piece
    ORDER BY request_hash
    ON CONFLICT (request_hash) DO NOTHING
    RETURNING copy_id, request_hash, output, verdict, reasons
), cited AS (
    INSERT INTO ops.copy_source (copy_id, fact_id, fact_version, source)
    SELECT kept.copy_id, cited.fact_id, cited.fact_version, cited.source
    FROM kept
    JOIN piece USING (copy_id)
    CROSS JOIN jsonb_to_recordset(piece.cited) AS cited (fact_id text, fact_version integer, source text)
)
SELECT copy_id, request_hash, output, verdict, reasons FROM kept
