"""`/__admin__/…`: fill, watch and break the sandbox. Not part of HubSpot's API."""

import json
from typing import Annotated, Any, Literal

import psycopg
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict

from sandbox.crm import properties, settings
from sandbox.crm.database import statement
from sandbox.crm.errors import invalid_input
from sandbox.crm.faults import Fault
from sandbox.crm.gate import ADMIN_PREFIX, Gate
from sandbox.crm.records import iso

router = APIRouter(prefix=ADMIN_PREFIX.rstrip("/"))


class EmailEvent(BaseModel):
    """One event; further keys are delivered as they are.

    Attributes:
        created: milliseconds since 1970, UTC.
    """

    model_config = ConfigDict(extra="allow")

    id: str
    created: int
    type: Literal[
        "SENT", "DROPPED", "PROCESSED", "DELIVERED", "DEFERRED", "BOUNCE",
        "OPEN", "CLICK", "STATUSCHANGE", "SPAMREPORT", "PRINT", "FORWARD", "SUPPRESSED",
    ]  # fmt: skip
    recipient: str
    emailCampaignId: int | None = None


def _gate(request: Request) -> Gate:
    gate: Gate = request.state.gate
    return gate


@router.get("/health")
async def health(request: Request) -> dict[str, str]:
    async with request.app.state.database.transaction() as connection:
        await connection.execute("SELECT 1")
    return {"status": "healthy"}


@router.post("/reset")
async def reset(request: Request) -> dict[str, str]:
    """Empty the store, forget faults, used limits and recorded requests, and put settings back to their defaults."""
    gate = _gate(request)
    async with request.app.state.database.transaction() as connection:
        await connection.execute(statement("reset"))
        await properties.create_defaults(connection)
    gate.reset()
    gate.settings = settings.Settings()
    return {"status": "reset"}


@router.post("/contacts")
async def seed_contacts(request: Request) -> dict[str, int]:
    """Body: list of `{id?, properties, archived?, createdate?, lastmodifieddate?}`."""
    body = (await request.body()).decode()
    async with request.app.state.database.transaction() as connection:
        try:
            seeded = await connection.execute(statement("seed_contacts"), {"contacts": body})
            await connection.execute(statement("move_contact_id_on"))
            await connection.execute("ANALYZE crm.contacts")
        except psycopg.DataError as error:
            raise invalid_input(f"These contacts could not be seeded: {error}") from None
    return {"seeded": seeded.rowcount}


@router.post("/events")
async def add_email_events(request: Request, events: list[EmailEvent]) -> dict[str, int]:
    rows = json.dumps([event.model_dump(exclude_none=True) for event in events])
    async with request.app.state.database.transaction() as connection:
        added = await connection.execute(statement("add_email_events"), {"events": rows})
    return {"added": added.rowcount}


@router.get("/requests")
async def requests(request: Request, last: Annotated[int, Query(ge=0, le=1000)] = 100) -> dict[str, Any]:
    """API requests since the start or the last reset; status 0 = closed without an answer."""
    gate = _gate(request)
    counts = [
        {"method": method, "route": route, "status": status, "count": count}
        for (method, route, status), count in sorted(gate.counts.items())
    ]
    return {"counts": counts, "last": list(gate.last_requests)[-last:] if last else []}


@router.delete("/requests")
async def forget_requests(request: Request) -> dict[str, str]:
    _gate(request).counts.clear()
    _gate(request).last_requests.clear()
    return {"status": "forgotten"}


@router.get("/writes")
async def writes(request: Request, property: Annotated[str, Query()]) -> dict[str, list[dict[str, str]]]:
    """Every value that the API wrote to a property, oldest first; `value` "" = cleared."""
    async with request.app.state.database.transaction() as connection:
        rows = await connection.execute(
            "SELECT contact_id, value, written_at FROM crm.property_history WHERE property = %s ORDER BY id", (property,)
        )
        found = await rows.fetchall()
    return {
        "writes": [
            {"contact_id": str(row["contact_id"]), "value": row["value"], "written_at": iso(row["written_at"])}
            for row in found
        ]
    }


@router.post("/faults")
async def add_faults(request: Request, faults: Fault | list[Fault]) -> dict[str, int]:
    new = faults if isinstance(faults, list) else [faults]
    _gate(request).faults.extend(new)
    return {"queued": len(new)}


@router.get("/faults")
async def list_faults(request: Request) -> list[dict[str, Any]]:
    return [{**fault.model_dump(), "struck": fault.struck} for fault in _gate(request).faults]


@router.delete("/faults")
async def clear_faults(request: Request) -> dict[str, str]:
    _gate(request).faults.clear()
    return {"status": "cleared"}


@router.get("/settings")
async def get_settings(request: Request) -> settings.Settings:
    return _gate(request).settings


@router.post("/settings")
async def change_settings(request: Request, changes: dict[str, Any]) -> settings.Settings:
    """Body: the settings to change; the others stay."""
    gate = _gate(request)
    changed = settings.Settings.model_validate({**gate.settings.model_dump(), **changes})
    async with request.app.state.database.transaction() as connection:
        await settings.save(connection, changed)
    gate.settings = changed
    return changed
