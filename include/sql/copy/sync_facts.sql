-- Brings the approved claims of include/facts into the warehouse: what is new or changed is written, what is no longer in the files is
-- not current any more, what is the same is left alone. Nothing at all is written while a claim says other words under an old version.
-- Grain: one version of one fact. Reads and writes ops.fact. Gives back what happened: written, withdrawn or reworded, id, version.
-- Parameters: facts (jsonb array of objects with the columns' names). Run again it writes nothing.
WITH filed AS (
    SELECT *
    FROM jsonb_to_recordset(%(facts)s::jsonb) AS fact (
        fact_id text, version integer, text text, source text, approver text,
        valid_from date, valid_until date, regions text[], topics text[]
    )
), reworded AS (
    SELECT filed.fact_id, filed.version
    FROM filed JOIN ops.fact AS known USING (fact_id, version)
    WHERE known.text <> filed.text
), changed AS (
    SELECT filed.*
    FROM filed LEFT JOIN ops.fact AS known USING (fact_id, version)
    WHERE (known.source, known.approver, known.valid_from, known.valid_until, known.regions, known.topics, known.is_current)
        IS DISTINCT FROM
        (filed.source, filed.approver, filed.valid_from, filed.valid_until, filed.regions, filed.topics, true)
      AND NOT EXISTS (SELECT FROM reworded)
), withdrawn AS (
    UPDATE ops.fact SET is_current = false, synced_at = clock_timestamp()
    WHERE is_current AND NOT EXISTS (SELECT FROM reworded) AND NOT EXISTS (
        SELECT FROM filed WHERE filed.fact_id = fact.fact_id AND filed.version = fact.version
    )
    RETURNING fact_id, version
), written AS (
    INSERT INTO ops.fact (fact_id, version, text, source, approver, valid_from, valid_until, regions, topics, is_current)
    SELECT fact_id, version, text, source, approver, valid_from, valid_until, regions, topics, true
    FROM changed
    ORDER BY fact_id
    ON CONFLICT (fact_id, version) DO UPDATE
        SET source = excluded.source, approver = excluded.approver, valid_from = excluded.valid_from,
            valid_until = excluded.valid_until, regions = excluded.regions, topics = excluded.topics,
            is_current = true, synced_at = clock_timestamp()
    RETURNING fact_id, version
)
SELECT 'written' AS change, fact_id, version FROM written
UNION ALL SELECT 'withdrawn', fact_id, version FROM withdrawn
UNION ALL SELECT 'reworded', fact_id, version FROM reworded
ORDER BY change, fact_id
