-- Q2: extra rows ÷ all rows. Two contacts with one address are one extra row; contacts without an address
-- are no duplicates of each other, but count among all rows.
-- Grain: one row. Reads staging.contacts. Writes nothing. Binds :threshold.
WITH address AS (
    SELECT email, count(*) AS contacts FROM staging.contacts GROUP BY email
),
total AS (
    SELECT coalesce(sum(contacts), 0) AS contacts, coalesce(sum(contacts - 1) FILTER (WHERE email IS NOT NULL), 0) AS extra
    FROM address
),
judged AS (
    SELECT *, CASE WHEN contacts = 0 THEN 0 ELSE extra / contacts END AS observed FROM total
)
SELECT
    CAST(observed AS double precision) AS observed,
    format('%s extra rows by e-mail among %s contacts', extra, contacts) AS found,
    CASE WHEN observed > 0 AND observed >= CAST(:threshold AS numeric) THEN (
        SELECT coalesce(jsonb_agg(crm_id), '[]')
        FROM (
            SELECT crm_id
            FROM (SELECT crm_id, row_number() OVER (PARTITION BY email ORDER BY crm_id) AS place FROM staging.contacts WHERE email IS NOT NULL) AS ranked
            WHERE place > 1
            LIMIT 20
        ) AS offending
    ) ELSE '[]' END AS sample_keys
FROM judged
