-- The approved claims to offer for each context, best first: those that share most words with it, then those whose text is nearest to
-- its words, then those on fewer other topics, then by id. The best claim for each word of the context comes before the rest, so that
-- none of them goes without. A claim about other industries than the reader's is not for this reader.
-- Grain: one context. Reads ops.fact. Writes nothing. Gives back the context's place in the array, fact ids and their versions.
-- Parameters: contexts (jsonb array of {words: [...], text, market}), industries (text[], of the vocabulary), day (date), most (facts
-- a context). Offered is what is current and valid on the day, for the context's market or for every market, and either for everyone,
-- or on one of its words, or near to its text.
WITH context AS (
    SELECT number, given ->> 'market' AS market,
           ARRAY(SELECT jsonb_array_elements_text(given -> 'words')) AS words,
           (SELECT string_agg(quote_literal(lexeme), ' | ')::tsquery
            FROM unnest(tsvector_to_array(to_tsvector('english', given ->> 'text'))) AS lexeme) AS query
    FROM jsonb_array_elements(%(contexts)s::jsonb) WITH ORDINALITY AS listed (given, number)
), offered AS (
    SELECT context.number, context.words, fact.fact_id, fact.version, fact.topics,
           cardinality(ARRAY(SELECT unnest(fact.topics) INTERSECT SELECT unnest(context.words))) AS shared_words,
           round(coalesce(ts_rank_cd(fact.search, context.query), 0)::numeric, 4) AS nearness
    FROM context
    JOIN ops.fact ON fact.is_current
        AND fact.valid_from <= %(day)s::date AND (fact.valid_until IS NULL OR %(day)s::date <= fact.valid_until)
        AND (fact.regions = '{}' OR context.market = ANY (fact.regions))
        AND (fact.topics = '{}' OR fact.topics && context.words OR fact.search @@ context.query)
        AND (NOT fact.topics && %(industries)s::text[]
             OR EXISTS (SELECT FROM unnest(fact.topics) AS topic WHERE topic = ANY (context.words) AND topic = ANY (%(industries)s)))
), ranked AS (
    SELECT *, row_number() OVER (
        PARTITION BY number ORDER BY shared_words DESC, nearness DESC, cardinality(topics) - shared_words, fact_id
    ) AS place
    FROM offered
), best_for_a_word AS (
    SELECT DISTINCT ON (ranked.number, word) ranked.number, ranked.fact_id
    FROM ranked CROSS JOIN unnest(ranked.words) AS word
    WHERE word = ANY (ranked.topics)
    ORDER BY ranked.number, word, ranked.place
), chosen AS (
    SELECT number, fact_id, version,
           row_number() OVER (PARTITION BY number ORDER BY (number, fact_id) NOT IN (TABLE best_for_a_word), place) AS place
    FROM ranked
)
SELECT context.number, coalesce(array_agg(fact_id ORDER BY place) FILTER (WHERE fact_id IS NOT NULL), '{}') AS fact_ids,
       coalesce(array_agg(version ORDER BY place) FILTER (WHERE fact_id IS NOT NULL), '{}') AS versions
FROM context LEFT JOIN chosen ON chosen.number = context.number AND chosen.place <= %(most)s
GROUP BY context.number
ORDER BY context.number
