-- What a campaign is pinned to right now; its own pin goes before the one for every campaign.
-- Grain: one switch that has a value. Reads ops.switch. Writes nothing. Parameters: campaign, everyone (*), names (text[]).
SELECT DISTINCT ON (name) name, value
FROM ops.switch
WHERE name = ANY (%(names)s::text[]) AND campaign IN (%(campaign)s, %(everyone)s) AND value IS NOT NULL
ORDER BY name, campaign = %(everyone)s
