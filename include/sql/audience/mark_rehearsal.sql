-- Marks the audience that a dry run selected: it wants nobody for itself, so no other campaign gives way to it.
-- Grain: one campaign's night. Writes marts.audience; nothing unless the run is a dry run. Parameters: campaign, day (date),
-- is_rehearsal (boolean). A second run writes the same; the night itself starts with new rows, without the mark.
UPDATE marts.audience SET is_rehearsal = true
WHERE campaign = %(campaign)s AND day = %(day)s::date AND %(is_rehearsal)s::boolean
