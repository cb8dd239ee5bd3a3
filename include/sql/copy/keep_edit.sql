-- Stores what a reviewer made of a piece, as a piece of its own, with the facts that it cites.
-- Grain: one edit of one piece. Reads and writes ops.copy, writes ops.copy_source. Parameters: edited_from, copy_id, request_hash, output,
-- verdict, reasons, confidence, edited_by, and of the cited facts cited_ids (text[]), cited_versions (int[]), cited_sources (text[]).
-- The same edit made again keeps its first row and gets today's verdict.
WITH kept AS (
    INSERT INTO ops.copy (
        copy_id, request_hash, campaign, template_id, template_version, origin, model, parameters, context, fact_ids,
        output, verdict, reasons, confidence, edited_from, edited_by
    )
    SELECT %(copy_id)s, %(request_hash)s, campaign, template_id, template_version, 'edited', model, parameters, context, fact_ids,
           %(output)s, %(verdict)s, %(reasons)s, %(confidence)s, copy_id, %(edited_by)s
    FROM ops.copy
    WHERE copy_id = %(edited_from)s
    ON CONFLICT (request_hash) DO UPDATE SET
        verdict = excluded.verdict, reasons = excluded.reasons, confidence = excluded.confidence
    RETURNING copy_id
)
INSERT INTO ops.copy_source (copy_id, fact_id, fact_version, source)
SELECT kept.copy_id, cited.fact_id, cited.fact_version, cited.source
FROM kept
CROSS JOIN unnest(%(cited_ids)s::text[], %(cited_versions)s::int[], %(cited_sources)s::text[])
    AS cited (fact_id, fact_version, source)
ON CONFLICT (copy_id, fact_id) DO NOTHING
