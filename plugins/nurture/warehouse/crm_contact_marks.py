"""Contact properties that mark people for contact policy; kept in `raw_hubspot.contacts.properties` only."""

SEED = "nurture_seed"
"""A person ticks it: the contact is on the seed list of test sends when it says `true`."""
HARD_BOUNCE = "hs_email_hard_bounce_reason_enum"
"""HubSpot sets it when an address bounced for good; the events of a bounce do not say that."""
