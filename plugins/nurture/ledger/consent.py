"""Consent at the instant of the push, from what the CRM says right then."""

from nurture.policy import Consent
from nurture.warehouse.crm_contact_consent import STATUS, is_opted_out, opt_out_properties, region_of, status_of
from nurture.warehouse.crm_contact_rows import Contact


def withdrawal(contact: Contact, consent: Consent) -> str | None:
    """Why `contact` must not be written to now, or None. A region that the CRM does not know counts as strict.

    Args:
        contact: as read a moment ago, with `consent_properties`.
        consent: where writing needs no prior opt-in, which opt-outs count, and the words of `consent_status`.
    """
    if is_opted_out(contact.properties, opt_out_properties(consent)):
        return "opted out in the CRM, as read right before the push"
    status = status_of(contact.properties.get(STATUS), consent.status_words)
    if status == "denied":
        return "consent denied in the CRM, as read right before the push"
    if status != "granted" and (region_of(contact.properties) or "").split("-")[0] not in consent.opt_out_regions:
        return "no opt-in in the CRM, as read right before the push, and the region needs one"
    return None
