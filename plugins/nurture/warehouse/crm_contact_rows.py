"""A contact as HubSpot delivers it, and as a row of `raw_hubspot.contacts`; what does not fit becomes a dead letter."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from nurture.policy import Consent, Crm
from nurture.warehouse.crm_contact_consent import STATUS, is_known, kept_properties
from nurture.warehouse.crm_contact_marks import HARD_BOUNCE, SEED
from nurture.warehouse.dead_letter import DeadLetter

SOURCE = "hubspot.contacts"

COLUMN_OF_PROPERTY = {
    "email": "email",
    "firstname": "first_name",
    "lastname": "last_name",
    "company": "company",
    "industry": "industry",
    "jobtitle": "job_title",
    "persona": "persona",
    "pain_point": "pain_point",
    "account_tier": "account_tier",
    "hs_lead_status": "lead_status",
    "lifecyclestage": "lifecycle_stage",
    "hs_latest_source": "last_touch_channel",
    "hubspotscore": "lead_score",
    "region": "region",
    "country": "country",
    "hs_timezone": "time_zone",
    "site_user_id": "site_user_id",
    "consent_status": "consent_status",
    "consent_timestamp": "consent_timestamp",
    "consent_source": "consent_source",
    "hs_email_optout": "email_opt_out",
}
COLUMN_OF_LIST = {"hs_merged_object_ids": "merged_ids", "hs_additional_emails": "additional_emails"}

COLUMNS = (
    "crm_id", *COLUMN_OF_PROPERTY.values(), *COLUMN_OF_LIST.values(),
    "is_archived", "created_at", "modified_at", "properties",
)  # fmt: skip


def wanted_properties(consent: Consent) -> list[str]:
    """What is asked of the CRM."""
    known = (*COLUMN_OF_PROPERTY, *COLUMN_OF_LIST, SEED, HARD_BOUNCE)
    return list(dict.fromkeys([*known, *kept_properties(consent), "lastmodifieddate"]))


@dataclass(frozen=True)
class Contact:
    """One CRM contact.

    Attributes:
        crm_id: the vendor's record id.
        properties: values as delivered: strings, or None where nothing is set.
        is_archived: whether it came from the archived list.
        created_at: ISO 8601 as delivered.
        history: for properties read with history, all values that they ever had.
    """

    crm_id: str
    properties: Mapping[str, str | None]
    is_archived: bool = False
    created_at: str | None = None
    history: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Fitted:
    """What became of one contact: its row (None when it cannot be stored at all) and what had to be left out."""

    row: tuple[Any, ...] | None
    modified_at: datetime | None
    letters: list[DeadLetter]


def fit(contact: Contact, policy: Crm, consent: Consent) -> Fitted:
    """Make `contact` a row in the order of `COLUMNS`.

    A field that cannot be stored is left out and gets a dead letter; the contact is loaded all the same. Only a
    contact without a usable `lastmodifieddate` has no row, for it could not be told from an older delivery.
    """
    letters: list[DeadLetter] = []
    version = (_storable(contact.properties.get("lastmodifieddate")) or "")[:40]

    def complain(name: str, reason: str) -> None:
        payload = {"property": name, "lastmodifieddate": version}
        letters.append(DeadLetter(source=SOURCE, key=contact.crm_id, field=name, reason=reason, payload=payload))

    properties: dict[str, str | None] = {}
    for name, value in contact.properties.items():
        size = len(value.encode("utf-8", "surrogatepass")) if value else 0
        if size > policy.max_property_bytes:
            complain(name, f"{size} bytes, at most {policy.max_property_bytes} are kept: the contact was loaded without it. "
                           "Shorten the value in the CRM.")  # fmt: skip
            continue
        storable = _storable(value)
        if storable != value:
            complain(name, "holds characters that no text column can store (NUL or half a surrogate pair): they were "
                           "left out. Retype the value in the CRM.")  # fmt: skip
        properties[name] = storable
    modified_at = moment(properties.get("lastmodifieddate"))
    if modified_at is None:
        complain("lastmodifieddate", "not an ISO 8601 time with a zone: the contact was not loaded. It is tried at the "
                                     "next load again; have the CRM's support mend the record.")  # fmt: skip
        return Fitted(None, None, letters)
    columns: dict[str, Any] = {column: properties.get(name) for name, column in COLUMN_OF_PROPERTY.items()}
    if (columns["email"] or "").count("@") > 1:
        columns["email"] = None
        complain("email", "two addresses in one field: the contact was loaded without an address, so nobody writes to it. "
                          "Keep one in `email` and move the other to the additional e-mail addresses.")  # fmt: skip
    if not is_known(properties.get(STATUS), consent.status_words):
        valid = [f"{kind}: {', '.join(words)}" for kind, words in consent.status_words.model_dump().items()]
        complain(STATUS, "a word that policy does not know: it counts as denied, so nobody writes to the contact. Valid "
                         f"words are {'; '.join(valid)}. Correct it in the CRM, or add the word under "
                         "`consent.status_words` of include/policy.yaml.")  # fmt: skip
    for name, column in COLUMN_OF_LIST.items():
        columns[column] = [part.strip() for part in (properties.get(name) or "").split(";") if part.strip()]
    columns |= {
        "crm_id": contact.crm_id,
        "is_archived": contact.is_archived,
        "created_at": moment(contact.created_at),
        "modified_at": modified_at,
        "properties": json.dumps(properties, ensure_ascii=False, sort_keys=True),
    }
    return Fitted(tuple(columns[name] for name in COLUMNS), modified_at, letters)


def moment(text: str | None) -> datetime | None:
    """An ISO 8601 time with a zone, in UTC; None when it is not one."""
    try:
        parsed = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return parsed.astimezone(UTC) if parsed.tzinfo else None


def _storable(value: str | None) -> str | None:
    """`value` without NUL characters and lone surrogates, which JSON may carry and PostgreSQL refuses."""
    if value is None:
        return None
    return value.replace("\x00", "").encode("utf-8", "ignore").decode("utf-8")
