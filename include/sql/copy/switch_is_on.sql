-- Whether a campaign may use model copy right now. Grain: one row. Reads ops.switch. Writes nothing. Parameters: campaign.
SELECT ops.may_personalize(%(campaign)s) AS is_on
