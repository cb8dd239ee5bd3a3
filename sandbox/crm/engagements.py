"""Reading and writing notes and tasks, and the contacts on whose timelines they are."""

import json
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, JsonValue

from sandbox.crm import properties, property_values
from sandbox.crm.database import Connection, statement, write_alone
from sandbox.crm.engagement_kinds import REQUIRED, TO_CONTACT, Kind
from sandbox.crm.errors import HubSpotError, invalid_input
from sandbox.crm.search import moment

Row = dict[str, Any]


class NewEngagement(BaseModel):
    """One note or task to create, with the ids of its contacts."""

    values: dict[str, JsonValue]
    contact_ids: list[str]
    trace_id: str | None = None


async def create(
    connection: Connection, kind: Kind, batch: Sequence[NewEngagement]
) -> tuple[list[tuple[NewEngagement, Row]], list[tuple[NewEngagement, HubSpotError]]]:
    """Create what is right, and say of the rest what is wrong; nobody else writes meanwhile.

    A caller that wants all or none raises the first error, which rolls back.
    """
    await write_alone(connection)
    definitions = await properties.definitions(connection, kind)
    living = await living_contacts(connection, [contact_id for new in batch for contact_id in new.contact_ids])
    right: list[tuple[NewEngagement, dict[str, str | None]]] = []
    wrong: list[tuple[NewEngagement, HubSpotError]] = []
    for new in batch:
        try:
            right.append((new, _checked(kind, new, definitions, living)))
        except HubSpotError as error:
            wrong.append((new, error))
    inputs = [
        {"properties": values, "contact_ids": list(dict.fromkeys(living[contact_id] for contact_id in new.contact_ids))}
        for new, values in right
    ]
    found = await connection.execute(statement("create_engagements"), {"kind": kind, "inputs": json.dumps(inputs)})
    rows = await found.fetchall()
    return [(new, row) for (new, _), row in zip(right, rows, strict=True)], wrong


async def read(connection: Connection, kind: Kind, ids: list[str], *, archived: bool = False) -> dict[str, Row]:
    """Those of `ids` that are there, by id."""
    found = await connection.execute(
        "SELECT id, properties, created_at, modified_at, archived_at FROM crm.engagements"
        " WHERE kind = %s AND id::text = ANY (%s) AND (archived_at IS NOT NULL) = %s",
        (kind, ids, archived),
    )
    return {str(row["id"]): row for row in await found.fetchall()}


async def page(
    connection: Connection, kind: Kind, *, after: int, limit: int, archived: bool
) -> tuple[list[Row], int | None]:
    """Rows with ids above `after`, and where the next page starts (None at the end)."""
    found = await connection.execute(
        "SELECT id, properties, created_at, modified_at, archived_at FROM crm.engagements"
        " WHERE kind = %s AND id > %s AND (archived_at IS NOT NULL) = %s ORDER BY id LIMIT %s",
        (kind, after, archived, limit + 1),
    )
    rows = await found.fetchall()
    return rows[:limit], rows[limit - 1]["id"] if len(rows) > limit else None


async def update(connection: Connection, kind: Kind, engagement_id: str, values: dict[str, JsonValue]) -> Row | None:
    """Change properties of a living note or task; None when there is none.

    Raises:
        HubSpotError: 400 for a wrong value.
    """
    [checked] = property_values.checked([values], await properties.definitions(connection, kind))
    found = await connection.execute(
        "UPDATE crm.engagements SET properties = jsonb_strip_nulls(properties || %s::jsonb),"
        " modified_at = date_trunc('milliseconds', clock_timestamp()), written_at = clock_timestamp()"
        " WHERE kind = %s AND id::text = %s AND archived_at IS NULL"
        " RETURNING id, properties, created_at, modified_at, archived_at",
        (json.dumps(checked), kind, engagement_id),
    )
    return await found.fetchone()


async def archive(connection: Connection, kind: Kind, ids: list[str]) -> None:
    """Archive those of `ids` that are living; the others are passed over, as the vendor does."""
    await connection.execute(
        "UPDATE crm.engagements SET archived_at = clock_timestamp(), modified_at = clock_timestamp(),"
        " written_at = clock_timestamp() WHERE kind = %s AND id::text = ANY (%s) AND archived_at IS NULL",
        (kind, ids),
    )


async def living_contacts(connection: Connection, contact_ids: list[str]) -> dict[str, int]:
    """The id of the living contact that each of `contact_ids` names: of a merged one its survivor."""
    found = await connection.execute(
        statement("read_contacts"), {"keys": contact_ids, "id_property": None, "archived": False}
    )
    return {row["key"]: row["id"] for row in await found.fetchall() if row["id"] is not None}


async def shown_on(connection: Connection, kind: Kind, contact_ids: list[int]) -> dict[int, list[int]]:
    """The ids of the living notes or tasks on the timeline of each contact, in order."""
    found = await connection.execute(statement("read_timelines"), {"kind": kind, "contact_ids": contact_ids})
    shown: dict[int, list[int]] = {}
    for row in await found.fetchall():
        shown.setdefault(row["contact_id"], []).append(row["id"])
    return shown


async def contacts_of(connection: Connection, kind: Kind, ids: list[str]) -> dict[str, list[int]]:
    """The ids of the living contacts of each note or task."""
    found = await connection.execute(statement("read_engagement_contacts"), {"kind": kind, "ids": ids})
    contacts: dict[str, list[int]] = {}
    for row in await found.fetchall():
        contacts.setdefault(str(row["id"]), []).append(row["contact_id"])
    return contacts


def _checked(
    kind: Kind, new: NewEngagement, definitions: dict[str, dict[str, Any]], living: dict[str, int]
) -> dict[str, str | None]:
    [values] = property_values.checked([new.values], definitions)
    if not values.get(REQUIRED):
        raise invalid_input(
            f"Error creating {kind[:-1].upper()}. Some required properties were not set.", context={"properties": [REQUIRED]}
        )
    try:
        moment(str(values[REQUIRED]))
    except (ValueError, OverflowError, OSError):
        raise invalid_input(f"Property values were not valid: {REQUIRED} is no moment in time") from None
    if missing := [contact_id for contact_id in new.contact_ids if contact_id not in living]:
        raise invalid_input(
            "one or more associations are not valid", errors=[{"message": f"CONTACT={missing[0]} is not valid"}]
        )
    return values


def check_association_type(kind: Kind, category: str, type_id: int) -> None:
    """Raises:
    HubSpotError: 400 when this is not how a note or task hangs on a contact.
    """
    if (category, type_id) != ("HUBSPOT_DEFINED", TO_CONTACT[kind]):
        raise invalid_input(
            "one or more associations are not valid",
            errors=[{"message": f"{category} {type_id} is no type of association from {kind[:-1].upper()} to CONTACT"}],
        )
