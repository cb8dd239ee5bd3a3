"""Contact policy as the statements take it: `audience/apply_contact_policy.sql` and `ledger/withheld.sql` decide alike."""

from typing import Any

from nurture.contact_policy.seed_list import is_test_send
from nurture.policy import Contact


def withholding(policy: Contact, campaign: str) -> dict[str, Any]:
    """Who is withheld: a test send is neither counted against the cap nor held by it, and gives way to no campaign.

    Args:
        campaign: as in `marts.audience`.
    """
    if is_test_send(campaign):
        return {"cap_messages": None, "cap_days": policy.frequency_cap.days, "higher_campaigns": []}
    return {
        "cap_messages": policy.frequency_cap.messages,
        "cap_days": policy.frequency_cap.days,
        "higher_campaigns": higher(policy.campaign_priority, campaign),
    }


def timing(policy: Contact) -> dict[str, Any]:
    """When people may be written to."""
    quiet = policy.quiet_hours
    return {
        "quiet_from": quiet.begin,
        "quiet_to": quiet.end,
        "is_weekend_quiet": quiet.include_weekends,
        "zone_countries": list(quiet.zones),
        "country_zones": list(quiet.zones.values()),
        "default_zone": quiet.default_zone,
    }


def higher(priority: tuple[str, ...], campaign: str) -> list[str]:
    """The campaigns to which `campaign` gives way, the highest first."""
    return list(priority[: priority.index(campaign)] if campaign in priority else priority)
