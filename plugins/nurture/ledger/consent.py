"""Consent at the instant of the push, from what the CRM says right then."""

from collections.abc import Collection

from nurture.warehouse.crm_contact_rows import Contact
from nurture.warehouse.crm_contacts import DENIED_WORDS

CONSENT_PROPERTIES = ("hs_email_optout", "consent_status")


def withdrawal(contact: Contact, *, region: str | None, opt_out_regions: Collection[str]) -> str | None:
    """Why `contact` must not be written to now, or None.

    Args:
        contact: as read a moment ago, with `CONSENT_PROPERTIES`.
        region: ISO 3166 country, or `US-XX`; None (unknown) counts as strict.
        opt_out_regions: countries where writing needs no prior opt-in.
    """
    if (contact.properties.get("hs_email_optout") or "").strip().lower() in {"true", "1"}:
        return "opted out in the CRM, as read right before the push"
    status = (contact.properties.get("consent_status") or "").strip().lower()
    if status in DENIED_WORDS:
        return "consent denied in the CRM, as read right before the push"
    if status != "granted" and (region or "").split("-")[0] not in opt_out_regions:
        return "no opt-in in the CRM, as read right before the push, and the region needs one"
    return None
