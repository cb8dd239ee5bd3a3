-- Stores one piece of copy with the sources that it cites.
-- Grain: one distinct request. Writes ops.copy, ops.copy_source. Parameters: the columns of ops.copy, and of the cited facts
-- cited_ids (text[]), cited_versions (int[]), cited_sources (text[]). A request that has its answer keeps it: nothing is written.
WITH kept AS (
    INSERT INTO ops.copy (
        copy_id, request_hash, campaign, template_id, template_version, origin, model, parameters,
        context, fact_ids, output, verdict, reasons, confidence
    ) VALUES (
        %(copy_id)s, %(request_hash)s, %(campaign)s, %(template_id)s, %(template_version)s, %(origin)s, %(model)s,
        %(parameters)s, %(context)s, %(fact_ids)s, %(output)s, %(verdict)s, %(reasons)s, %(confidence)s
    )
    ON CONFLICT (request_hash) DO NOTHING
    RETURNING copy_id
)
INSERT INTO ops.copy_source (copy_id, fact_id, fact_version, source)
SELECT kept.copy_id, cited.fact_id, cited.fact_version, cited.source
FROM kept
CROSS JOIN unnest(%(cited_ids)s::text[], %(cited_versions)s::int[], %(cited_sources)s::text[])
    AS cited (fact_id, fact_version, source)
