"""What HubSpot's properties say about consent, read alike by the load and the push. What is not understood means no."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from nurture.policy import Consent, StatusWords

GLOBAL_OPT_OUT = "hs_email_optout"
STATUS = "consent_status"
TIMESTAMP = "consent_timestamp"
SOURCE = "consent_source"
NOT_OPTED_OUT = ("", "false", "0")
"""Values of an opt-out property, in lower case, that mean "write to me"; a missing one does too."""

REGION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")
COUNTRY = re.compile(r"[A-Z]{2}")


def opt_out_properties(consent: Consent) -> list[str]:
    """The opt-out from all e-mail, and from the subscription types that policy names."""
    return [GLOBAL_OPT_OUT, *(f"{GLOBAL_OPT_OUT}_{number}" for number in consent.subscription_ids)]


def consent_properties(consent: Consent) -> list[str]:
    """What must be read of a contact to know whether it may be written to."""
    return [*opt_out_properties(consent), STATUS, TIMESTAMP, "region", "country"]


def kept_properties(consent: Consent) -> list[str]:
    """What is kept of a contact's consent: as above, with where and under which words it was given."""
    return [*consent_properties(consent), SOURCE, *([consent.text_property] if consent.text_property else [])]


def is_opted_out(properties: Mapping[str, str | None], opt_outs: Iterable[str]) -> bool:
    """Whether one of the properties `opt_outs` says so."""
    return any(word(properties.get(name)) not in NOT_OPTED_OUT for name in opt_outs)


def is_known(status: str | None, words: StatusWords) -> bool:
    """Whether `consent_status` is empty or a word that policy knows."""
    return word(status) in ("", *words.granted, *words.unknown, *words.denied)


def status_of(status: str | None, words: StatusWords) -> str:
    """`granted`, `unknown` or `denied`, as staging/contacts.sql has it."""
    said = word(status)
    if said in words.denied:
        return "denied"
    if said in words.granted:
        return "granted"
    return "unknown" if said in ("", *words.unknown) else "denied"


def region_of(properties: Mapping[str, str | None]) -> str | None:
    """ISO 3166 country, or `US-XX`, as staging/contacts.sql has it; None where neither property holds one."""
    region, country = ((properties.get(name) or "").strip(" ").upper() for name in ("region", "country"))
    if REGION.fullmatch(region):
        return region
    return country if COUNTRY.fullmatch(country) else None


def granted_on(properties: Mapping[str, str | None]) -> str | None:
    """The day of the consent in UTC, ISO; without a zone the CRM's time is UTC. None where it holds no such time."""
    try:
        moment = datetime.fromisoformat((properties.get(TIMESTAMP) or "").strip(" "))
    except ValueError:
        return None
    return (moment.astimezone(UTC) if moment.tzinfo else moment).date().isoformat()


def word(value: str | None) -> str:
    """As SQL's lower(btrim()) gives it."""
    return (value or "").strip(" ").lower()
