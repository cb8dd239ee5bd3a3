"""Reading and writing contacts: one set-based statement for the rows of a request, whether one or a hundred."""

import json
from collections.abc import Sequence
from typing import Any

from pydantic import JsonValue

from sandbox.crm import properties, property_values
from sandbox.crm.database import Connection, statement, write_alone
from sandbox.crm.errors import conflict, invalid_input

BIGGEST_ID = 2**63 - 1

Row = dict[str, Any]


async def read(connection: Connection, keys: list[str], *, id_property: str | None, archived: bool = False) -> list[Row]:
    """One row per key, in order; `id` is None where no contact was found.

    Raises:
        HubSpotError: 400 when `id_property` does not identify a contact.
    """
    await _check_id_property(connection, id_property)
    found = await connection.execute(
        statement("read_contacts"), {"keys": keys, "id_property": id_property, "archived": archived}
    )
    return await found.fetchall()


async def page(connection: Connection, *, after: int, limit: int, archived: bool) -> tuple[list[Row], int | None]:
    """Contacts with ids above `after`, and where the next page starts (None at the end)."""
    found = await connection.execute(statement("list_contacts"), {"after": after, "archived": archived, "rows": limit + 1})
    rows = await found.fetchall()
    return rows[:limit], rows[limit - 1]["id"] if len(rows) > limit else None


async def histories(connection: Connection, rows: list[Row], names: list[str]) -> dict[int, dict[str, list[Row]]]:
    """By contact id and property, its versions `{value, written_at}`, newest first."""
    found: dict[int, dict[str, list[Row]]] = {row["id"]: {name: [] for name in names} for row in rows if row["id"]}
    if not names:
        return {}
    versions = await connection.execute(statement("read_history"), {"ids": list(found), "names": names})
    for version in await versions.fetchall():
        found[version["contact_id"]][version["property"]].append(version)
    return found


async def create(connection: Connection, batch: list[dict[str, JsonValue]]) -> list[Row]:
    """Create contacts, all or none.

    Raises:
        HubSpotError: 400 for a wrong value, 409 for an address that is taken or given twice.
    """
    return await _write(connection, [(None, values) for values in batch], id_property=None, creates=True)


async def update(
    connection: Connection, batch: list[tuple[str, dict[str, JsonValue]]], *, id_property: str | None
) -> list[Row]:
    """Update `(key, properties)`; rows without `id` are the keys for which there is no living contact.

    Raises:
        HubSpotError: 400 for a wrong value or a key given twice, 409 for an address that is another contact's.
    """
    await _check_id_property(connection, id_property)
    keys = [key for key, _ in batch]
    if len(set(keys)) < len(keys):
        raise invalid_input("Duplicate IDs found in batch input. The batch must only contain each ID once.")
    return await _write(connection, batch, id_property=id_property, creates=False)


async def upsert(
    connection: Connection, batch: list[tuple[str, dict[str, JsonValue]]], *, id_property: str | None
) -> list[Row]:
    """Update the contacts that keys name and create the others, all or none; `is_new` says which.

    Raises:
        HubSpotError: 400 for a wrong value, 409 for a key given twice or an address that is another contact's.
    """
    if id_property in (None, "hs_object_id"):
        raise invalid_input("Unable to perform upsert by hs_object_id: give the idProperty of a unique property.")
    await _check_id_property(connection, id_property)
    assert id_property is not None
    keyed: list[tuple[str, dict[str, JsonValue]]] = [(key, {id_property: key, **values}) for key, values in batch]
    return await _write(connection, keyed, id_property=id_property, creates=True)


async def merge(connection: Connection, *, primary_key: str, merged_key: str) -> Row:
    """Merge two living contacts; the primary one's id survives.

    Raises:
        HubSpotError: 400 when the keys do not name two different living contacts.
    """
    await write_alone(connection)
    primary, merged = await read(connection, [primary_key, merged_key], id_property=None)
    if primary["id"] is None or merged["id"] is None or primary["id"] == merged["id"]:
        raise invalid_input(
            f"Could not merge {merged_key} into {primary_key}: both must be ids of living contacts, and different ones."
        )
    ids = {"survivor_id": primary["id"], "losing_id": merged["id"]}
    survivor = await (await connection.execute(statement("merge_contacts"), ids)).fetchone()
    assert survivor is not None
    return survivor


async def archive(connection: Connection, keys: list[str]) -> None:
    """Archive the contacts that ids name; ids without a living contact are passed over, as the vendor does."""
    await write_alone(connection)
    await connection.execute(statement("archive_contacts"), {"keys": keys, "id_property": None})


async def erase(connection: Connection, key: str, *, id_property: str | None) -> None:
    """Remove a contact, living or archived, and everything that says who it was."""
    await write_alone(connection)
    for archived in (False, True):
        [row] = await read(connection, [key], id_property=id_property, archived=archived)
        await connection.execute(statement("erase_contact"), {"id": row["id"]})


async def _write(
    connection: Connection,
    batch: Sequence[tuple[str | None, dict[str, JsonValue]]],
    *,
    id_property: str | None,
    creates: bool,
) -> list[Row]:
    await write_alone(connection)
    definitions = await properties.definitions(connection)
    values = property_values.checked([given for _, given in batch], definitions)
    keys = [key for key, _ in batch if key is not None]
    inputs = json.dumps([{"key": key, "properties": given} for (key, _), given in zip(batch, values, strict=True)])
    bound = {"inputs": inputs, "keys": keys, "id_property": id_property, "create_missing": creates}
    emails = [email.lower() for given in values if (email := given.get("email"))]
    if emails or creates:
        await _refuse_taken_emails(connection, emails, keys, bound)
    return await (await connection.execute(statement("write_contacts"), bound)).fetchall()


async def _refuse_taken_emails(connection: Connection, emails: list[str], keys: list[str], bound: dict[str, Any]) -> None:
    for given in ([key.lower() for key in keys], emails):
        seen: set[str] = set()
        for key in given:
            if key in seen:
                raise conflict(f"Contact already exists. {key} is more than once in this batch.")
            seen.add(key)
    found = await connection.execute(statement("find_taken_email"), {**bound, "emails": emails})
    if taken := await found.fetchone():
        raise conflict(f"Contact already exists. Existing ID: {taken['id']}")


async def _check_id_property(connection: Connection, id_property: str | None) -> None:
    if id_property in (None, "hs_object_id", "email"):
        return
    definition = (await properties.definitions(connection)).get(str(id_property))
    if definition is None or not definition.get("hasUniqueValue"):
        raise invalid_input(f"Unable to perform the operation by non-unique property {id_property}.")
