"""Contacts, notes and tasks as HubSpot's JSON: strings for values, ISO 8601 with milliseconds for moments."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from sandbox.crm.engagement_kinds import SYSTEM_PROPERTIES as ENGAGEMENT_PROPERTIES

DEFAULT_PROPERTIES = ("createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname")
SYSTEM_PROPERTIES = ("createdate", "hs_object_id", "lastmodifieddate")


def iso(moment: datetime) -> str:
    """`2026-11-22T15:04:05.123Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def contact(
    row: Mapping[str, Any],
    properties: Iterable[str] | None = None,
    histories: Mapping[int, Mapping[str, list[dict[str, Any]]]] | None = None,
) -> dict[str, Any]:
    """One contact with the properties that were asked for, or the default ones; what it lacks is null.

    Args:
        histories: by contact id and property, its versions `{value, written_at}`, newest first.
    """
    stored = {
        **row["properties"],
        "hs_object_id": str(row["id"]),
        "createdate": iso(row["created_at"]),
        "lastmodifieddate": iso(row["modified_at"]),
    }
    wanted = DEFAULT_PROPERTIES if properties is None else sorted({*properties, *SYSTEM_PROPERTIES})
    record = {
        "id": str(row["id"]),
        "properties": {name: stored.get(name) for name in wanted},
        "createdAt": stored["createdate"],
        "updatedAt": stored["lastmodifieddate"],
        "archived": row.get("archived_at") is not None,
    }
    if row.get("archived_at") is not None:
        record["archivedAt"] = iso(row["archived_at"])
    if histories:
        record["propertiesWithHistory"] = {
            name: [{"value": v["value"], "timestamp": iso(v["written_at"]), "sourceType": "INTEGRATION"} for v in versions]
            for name, versions in histories[row["id"]].items()
        }
    return record


def engagement(row: Mapping[str, Any], properties: Iterable[str] | None = None) -> dict[str, Any]:
    """One note or task with the properties that were asked for and those of the system; what it lacks is null."""
    stored = {
        **row["properties"],
        "hs_object_id": str(row["id"]),
        "hs_createdate": iso(row["created_at"]),
        "hs_lastmodifieddate": iso(row["modified_at"]),
    }
    record = {
        "id": str(row["id"]),
        "properties": {name: stored.get(name) for name in sorted({*(properties or []), *ENGAGEMENT_PROPERTIES})},
        "createdAt": stored["hs_createdate"],
        "updatedAt": stored["hs_lastmodifieddate"],
        "archived": row.get("archived_at") is not None,
    }
    if row.get("archived_at") is not None:
        record["archivedAt"] = iso(row["archived_at"])
    return record


def batch(started: datetime, results: list[dict[str, Any]], errors: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """A batch answer; with `errors` it is the body of a 207."""
    answer: dict[str, Any] = {
        "status": "COMPLETE", "results": results, "startedAt": iso(started), "completedAt": iso(datetime.now(UTC)),
    }  # fmt: skip
    if errors:
        answer |= {"numErrors": len(errors), "errors": errors}
    return answer
