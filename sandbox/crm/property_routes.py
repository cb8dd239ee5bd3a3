"""`/crm/v3/properties/{contacts,notes,tasks}…` as HubSpot answers it."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, BeforeValidator

from sandbox.crm import properties, records
from sandbox.crm.engagement_kinds import OBJECT_NAMES
from sandbox.crm.errors import HubSpotError, invalid_input, known_in, not_found
from sandbox.crm.properties import PropertyCreate, as_delivered, defined_now

router = APIRouter(prefix="/crm/v3/properties/{object_type}")
ObjectType = Annotated[Literal["contacts", "notes", "tasks"], BeforeValidator(known_in(OBJECT_NAMES))]


class CreateBatch(BaseModel):
    inputs: list[PropertyCreate]


class Name(BaseModel):
    name: str


class ReadBatch(BaseModel):
    inputs: list[Name]


class GroupCreate(BaseModel):
    name: str
    label: str
    displayOrder: int = -1


def _already_there(name: str) -> dict[str, Any]:
    return {"message": f"A property named '{name}' already exists.", "category": "OBJECT_ALREADY_EXISTS"}


@router.get("")
async def list_properties(request: Request, object_type: ObjectType) -> Response:
    async with request.app.state.database.transaction() as connection:
        known = await properties.definitions(connection, object_type)
    return JSONResponse({"results": [as_delivered(known[name]) for name in sorted(known)]})


@router.post("")
async def create_property(request: Request, object_type: ObjectType, given: PropertyCreate) -> Response:
    definition = defined_now(given)
    async with request.app.state.database.transaction() as connection:
        await _check_groups(connection, [given], object_type)
        if not await properties.add(connection, [definition], object_type):
            raise HubSpotError(409, **_already_there(given.name))
    return JSONResponse(as_delivered(definition), 201)


@router.post("/batch/create")
async def create_batch(request: Request, object_type: ObjectType, given: CreateBatch) -> Response:
    started, wanted = datetime.now(UTC), {item.name: defined_now(item) for item in given.inputs}
    async with request.app.state.database.transaction() as connection:
        await _check_groups(connection, given.inputs, object_type)
        new = await properties.add(connection, list(wanted.values()), object_type)
    errors = [{"status": "error", **_already_there(name), "context": {"name": [name]}} for name in wanted if name not in new]
    results = [as_delivered(wanted[name]) for name in wanted if name in new]
    return JSONResponse(records.batch(started, results, errors), 207 if errors else 201)


@router.post("/batch/read")
async def read_batch(request: Request, object_type: ObjectType, given: ReadBatch) -> Response:
    started, names = datetime.now(UTC), [item.name for item in given.inputs]
    async with request.app.state.database.transaction() as connection:
        known = await properties.definitions(connection, object_type)
    missing = [name for name in names if name not in known]
    errors = [
        {"status": "error", "category": "OBJECT_NOT_FOUND", "context": {"name": [name]},
         "message": f"Property with name {name} does not exist"} for name in missing
    ]  # fmt: skip
    results = [as_delivered(known[name]) for name in names if name in known]
    return JSONResponse(records.batch(started, results, errors), 207 if errors else 200)


@router.get("/groups")
async def list_groups(request: Request, object_type: ObjectType) -> Response:
    async with request.app.state.database.transaction() as connection:
        return JSONResponse({"results": await properties.groups(connection, object_type)})


@router.post("/groups")
async def create_group(request: Request, object_type: ObjectType, given: GroupCreate) -> Response:
    async with request.app.state.database.transaction() as connection:
        added = await connection.execute(
            "INSERT INTO crm.property_groups VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
            (given.name, given.label, given.displayOrder, object_type),
        )
    if not added.rowcount:
        raise HubSpotError(409, f"A property group named '{given.name}' already exists.", "OBJECT_ALREADY_EXISTS")
    return JSONResponse({**given.model_dump(), "archived": False}, 201)


@router.get("/{name}")
async def get_property(request: Request, object_type: ObjectType, name: str) -> Response:
    async with request.app.state.database.transaction() as connection:
        known = await properties.definitions(connection, object_type)
    if name not in known:
        raise not_found()
    return JSONResponse(as_delivered(known[name]))


async def _check_groups(connection: Any, wanted: list[PropertyCreate], object_type: str) -> None:
    known = {group["name"] for group in await properties.groups(connection, object_type)}
    unknown = sorted({item.groupName for item in wanted} - known)
    if unknown:
        raise invalid_input(f"Property group {unknown[0]} does not exist: create it, or use one of {sorted(known)}.")
