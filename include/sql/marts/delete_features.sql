-- Makes room for a re-run of one night. Grain: one night. Writes marts.person_features. Parameters: day (date).
DELETE FROM marts.person_features WHERE day = %(day)s::date
