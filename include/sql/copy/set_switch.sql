-- Turns one switch. The table's trigger notes the change in ops.switch_event.
-- Grain: one switch of one campaign (* is every campaign). Writes ops.switch. Parameters: name, campaign, is_on, value, changed_by, note.
-- A second run changes nothing but the time, and is noted as well.
INSERT INTO ops.switch (name, campaign, is_on, value, changed_by, note)
VALUES (%(name)s, %(campaign)s, %(is_on)s, %(value)s, %(changed_by)s, %(note)s)
ON CONFLICT (name, campaign) DO UPDATE SET
    is_on = excluded.is_on, value = excluded.value, changed_by = excluded.changed_by, note = excluded.note,
    changed_at = clock_timestamp()
