"""Permanent deletion of contacts in HubSpot, by the vendor's own endpoint for it."""

from collections.abc import Sequence
from dataclasses import dataclass

from nurture.errors import TransientError
from nurture.hooks.hubspot import HubSpotHook

GONE = frozenset({404})


@dataclass
class Erasure:
    """What was done, in contacts.

    Attributes:
        ids: asked for.
        erased: that were there and are not any more.
        of_others: ids that live on in another person's contact, for the CRM cannot undo a merge: left alone.
    """

    ids: int = 0
    erased: int = 0
    of_others: int = 0


def erase_contacts(crm: HubSpotHook, crm_ids: Sequence[str]) -> Erasure:
    """Delete contacts for good (POST …/contacts/gdpr-delete) and read each back; one that is gone already is as good.

    The deletion may be repeated, so a lost answer is followed by another try; what counts is that the contact cannot be
    read any more, neither among the living nor among the archived.

    Raises:
        TransientError: a contact is still there, or the CRM does not answer for now.
        TerminalError: the CRM refuses, e.g. for a missing scope.
    """
    done = Erasure(ids=len(crm_ids))
    for crm_id in crm_ids:
        record = record_of(crm, crm_id)
        if record is None:
            continue
        if record not in crm_ids:
            done.of_others += 1
            continue
        crm._call("POST", crm._path("objects", "contacts/gdpr-delete"), json={"objectId": record}, accept=GONE)
        if record_of(crm, record):
            raise TransientError(
                f"HubSpot: {done.erased} contacts are erased, one can still be read after its deletion; run the task again. "
                "If it stays so, erase it in HubSpot by hand (Delete permanently) and run the task once more"
            )
        done.erased += 1
    return done


def record_of(crm: HubSpotHook, crm_id: str) -> str | None:
    """The contact in which the id lives, its own or the one that it was merged into; None where there is none."""
    path = crm._path("objects", f"contacts/{crm_id}")
    for archived in ("false", "true"):
        if found := crm._call("GET", path, params={"archived": archived}, accept=GONE):
            return str(found["id"])
    return None
