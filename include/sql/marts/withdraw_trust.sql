-- Withdraws the verdict on one day before its data is replaced: campaigns of the day wait for the new one.
-- Grain: one day. Reads nothing. Writes ops.trusted_day. Parameters: day (date).
-- Re-running changes nothing. Earlier days whose events are read again keep theirs, see docs/decisions/0010.
DELETE FROM ops.trusted_day WHERE day = %(day)s::date
