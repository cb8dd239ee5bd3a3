-- How many dead letters each source has, what is open of them, and since when.
-- Grain: one source. Reads ops.dead_letter. Writes nothing. No parameters.
SELECT source, count(*) FILTER (WHERE is_open) AS open, count(*) FILTER (WHERE resolved_at IS NULL AND NOT is_open) AS given_up,
       count(*) FILTER (WHERE resolved_at IS NOT NULL) AS resolved,
       min(first_seen_at) FILTER (WHERE is_open) AS oldest_at, max(last_seen_at) FILTER (WHERE is_open) AS latest_at
FROM ops.dead_letter
CROSS JOIN LATERAL (SELECT resolved_at IS NULL AND given_up_at IS NULL AS is_open) AS state
GROUP BY source
ORDER BY source
