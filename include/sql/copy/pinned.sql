-- What a campaign is pinned to right now, and its test send with it; its own pin goes before the one for every campaign.
-- Grain: one switch that has a value. Reads ops.switch. Writes nothing. Parameters: campaign, everyone (*), names (text[]).
SELECT DISTINCT ON (name) name, value
FROM ops.switch
WHERE name = ANY (%(names)s::text[]) AND campaign IN (split_part(%(campaign)s, '~', 1), %(everyone)s) AND value IS NOT NULL
ORDER BY name, campaign = %(everyone)s
