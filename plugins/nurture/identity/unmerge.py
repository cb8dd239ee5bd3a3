"""Separate a person whom the CRM merged into another by mistake; what had happened stays with whom it happened to.

HubSpot cannot undo a merge: people make a new contact there. `contact_of` tells whose it is.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psycopg
from psycopg.rows import class_row

from nurture.errors import TerminalError
from nurture.identity.resolve import resolve_people
from nurture.warehouse.statements import statement

SHOWN_CONTACTS = 20


@dataclass(frozen=True)
class Known:
    """A person as a separation sees them; `swallowed_crm_ids`: contacts of those merged into this person."""

    person_id: str
    merged_into: str | None
    living_crm_id: str | None
    was_separated: bool
    swallowed_crm_ids: list[str] | None


@dataclass(frozen=True)
class Separation:
    """What was done: who lives on their own now, from whom they were taken, and the living contact that they have."""

    person_id: str
    separated_from: str | None
    crm_id: str | None


def unmerge(
    connection: psycopg.Connection,
    *,
    person_id: str | None,
    crm_id: str | None,
    new_crm_id: str | None,
    decided_by: str,
    note: str,
) -> Separation:
    """Tell one person apart, give them the contact that the CRM has for them now, and let every identifier follow.

    Commits nothing.

    Args:
        person_id: who was merged by mistake; or
        crm_id: the contact that the CRM swallowed by mistake.
        new_crm_id: the contact that the CRM has for them now, or None while there is none.

    Raises:
        TerminalError: there is no such person or contact, or nothing to separate; the message says what to name instead.
    """
    connection.execute(statement("marts/lock_identity.sql"))
    if (person_id is None) == (crm_id is None):
        raise TerminalError("expected either a person_id or a crm_id, not both and not none; name the one who was merged")
    if not note.strip():
        raise TerminalError("expected a note; say why, it is kept with the change")
    person = _known(connection, person_id=person_id, crm_id=crm_id)
    if person is None:
        raise TerminalError(
            f"nobody here is {person_id or f'contact {crm_id}'}; expected somebody whom a night has seen: "
            "ops.identity_event lists every merge with its ids"
        )
    # Whoever was separated before may get a contact now; a retry after the commit finds everything done.
    is_settled = person.was_separated and (new_crm_id is not None or not person.swallowed_crm_ids)
    if person.merged_into is None and not is_settled:
        raise TerminalError(f"{person.person_id} is merged into nobody; {_instead(person)}")
    who = {"person_id": person.person_id, "decided_by": decided_by, "note": note.strip()}
    if person.merged_into:
        connection.execute(statement("marts/separate_person.sql"), who)
    if new_crm_id:
        _check_contact(connection, person, new_crm_id)
        connection.execute(statement("marts/give_contact.sql"), who | {"new_crm_id": new_crm_id})
    today = datetime.now(UTC).date()
    resolve_people(connection, first_day=today + timedelta(days=1), day=today)
    after = _known(connection, person_id=person.person_id)
    return Separation(person.person_id, person.merged_into, after.living_crm_id if after else None)


def _known(connection: psycopg.Connection, *, person_id: str | None, crm_id: str | None = None) -> Known | None:
    with connection.cursor(row_factory=class_row(Known)) as cursor:
        named = {"person_id": person_id, "crm_id": crm_id}
        return cursor.execute(statement("marts/merged_person.sql"), named).fetchone()


def _instead(person: Known) -> str:
    if not person.swallowed_crm_ids:
        return "expected somebody who was merged: ops.identity_event lists them, kind merged"
    contacts = ", ".join(person.swallowed_crm_ids[:SHOWN_CONTACTS])
    return f"others were merged into it: name one of their contacts, {contacts}"


def _check_contact(connection: psycopg.Connection, person: Known, new_crm_id: str) -> None:
    """A contact is given only to a person who has none, and only when it does not belong to those who were left."""
    row = connection.execute(
        """
        SELECT identity.person_id FROM staging.contacts
        JOIN marts.person_identity AS identity ON identity.kind = 'crm_id' AND identity.value = contacts.crm_id
        WHERE contacts.crm_id = %s
        """,
        (new_crm_id,),
    ).fetchone()
    if row is None:
        raise TerminalError(
            f"contact {new_crm_id} is no living contact here; expected one that a night has loaded: "
            "separate now without it, or run customer_data first"
        )
    if row[0] == person.merged_into:
        raise TerminalError(
            f"contact {new_crm_id} belongs to {row[0]}, from whom {person.person_id} is to be separated; "
            "expected the contact that the CRM has for the separated person"
        )
    own = connection.execute(
        """
        SELECT identity.value FROM marts.person_identity AS identity
        JOIN raw_hubspot.contacts ON crm_id = identity.value AND merged_into IS NULL
        WHERE identity.kind = 'crm_id' AND identity.person_id = %s AND identity.value <> %s
        LIMIT 1
        """,
        (person.person_id, new_crm_id),
    ).fetchone()
    if own is not None:
        raise TerminalError(
            f"{person.person_id} has a contact, {own[0]}, living or archived; expected none: leave new_crm_id empty, "
            "and restore that contact, or merge the two, in the CRM"
        )
