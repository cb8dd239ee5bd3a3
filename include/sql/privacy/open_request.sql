-- A request that names this person and is still open, as a run that was killed left it, is taken up again; the newest, if any.
-- Grain: one request. Reads ops.privacy_request, ops.privacy_subject. Writes nothing. Parameters: action, kind, value.
SELECT request.request_id
FROM ops.privacy_request AS request
JOIN ops.privacy_subject AS subject USING (request_id)
WHERE request.action = %(action)s AND request.state = 'open' AND subject.kind = %(kind)s AND subject.value = %(value)s
ORDER BY request.request_id DESC
LIMIT 1
