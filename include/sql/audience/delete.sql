-- Makes room for a re-run of one campaign's night. Grain: one campaign's night. Writes marts.audience.
-- Parameters: campaign, day (date).
DELETE FROM marts.audience WHERE campaign = %(campaign)s AND day = %(day)s::date
