-- An export as it is handed out; that it was, and to whom, is kept.
-- Grain: one export. Reads ops.privacy_export. Writes ops.privacy_download. Parameters: request_id, downloaded_by. Each run adds a line,
-- none where there is no such export (any more).
WITH kept AS (
    SELECT request_id, document::text AS document FROM ops.privacy_export WHERE request_id = %(request_id)s
), noted AS (
    INSERT INTO ops.privacy_download (request_id, downloaded_by)
    SELECT request_id, %(downloaded_by)s FROM kept
)
SELECT document FROM kept
