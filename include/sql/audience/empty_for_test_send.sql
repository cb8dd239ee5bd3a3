-- A test send goes to the seed list instead of those whom the campaign's own statement selected.
-- Grain: one test send. Writes marts.audience; leaves the nights of everyone alone. Parameters: campaign, day (date).
DELETE FROM marts.audience
WHERE campaign = %(campaign)s AND day = %(day)s::date AND split_part(campaign, '~', 2) = 'seed'
