"""`/crm/v3/objects/contacts/batch/…` as HubSpot answers it: 200 and 201 for all, 207 where some ids name nobody."""

from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from sandbox.crm import contacts, records
from sandbox.crm.contact_routes import Key, Values, check_history, database_of
from sandbox.crm.errors import invalid_input, missing_objects

BATCH_LIMIT = 100

router = APIRouter(prefix="/crm/v3/objects/contacts/batch")


class KeyedValues(Values):
    id: Key
    idProperty: str | None = None


class KeyOnly(BaseModel):
    id: Key


class CreateBatch(BaseModel):
    inputs: list[Values]


class WriteBatch(BaseModel):
    inputs: list[KeyedValues]


class ArchiveBatch(BaseModel):
    inputs: list[KeyOnly]


class ReadBatch(BaseModel):
    inputs: list[KeyOnly]
    properties: list[str] | None = None
    propertiesWithHistory: list[str] = []
    idProperty: str | None = None


def limited(inputs: list[Any]) -> list[Any]:
    if not inputs:
        raise invalid_input("Invalid input JSON: inputs must not be empty")
    if len(inputs) > BATCH_LIMIT:
        raise invalid_input(f"A batch may hold {BATCH_LIMIT} inputs; this one holds {len(inputs)}.")
    return inputs


def _one_id_property(inputs: list[KeyedValues]) -> str | None:
    names = {given.idProperty for given in inputs}
    if len(names) > 1:
        raise invalid_input("All inputs of a batch must have the same idProperty.")
    return names.pop()


@router.post("/read")
async def read_batch(request: Request, given: ReadBatch, archived: bool = False) -> Response:
    started, keys = datetime.now(UTC), [item.id for item in limited(given.inputs)]
    check_history(given.propertiesWithHistory, len(keys))
    async with database_of(request).transaction() as connection:
        rows = await contacts.read(connection, list(dict.fromkeys(keys)), id_property=given.idProperty, archived=archived)
        histories = await contacts.histories(connection, rows, given.propertiesWithHistory)
    found = {row["id"]: records.contact(row, given.properties, histories) for row in rows if row["id"] is not None}
    missing = [row["key"] for row in rows if row["id"] is None]
    errors = [missing_objects("get", missing)] if missing else None
    return JSONResponse(records.batch(started, list(found.values()), errors), 207 if errors else 200)


@router.post("/create")
async def create_batch(request: Request, given: CreateBatch) -> Response:
    started, inputs = datetime.now(UTC), limited(given.inputs)
    async with database_of(request).transaction() as connection:
        rows = await contacts.create(connection, [item.properties for item in inputs])
    results = [records.contact(row, item.properties) for row, item in zip(rows, inputs, strict=True)]
    return JSONResponse(records.batch(started, results), 201)


@router.post("/update")
async def update_batch(request: Request, given: WriteBatch) -> Response:
    started, inputs = datetime.now(UTC), limited(given.inputs)
    id_property = _one_id_property(inputs)
    async with database_of(request).transaction() as connection:
        rows = await contacts.update(connection, [(item.id, item.properties) for item in inputs], id_property=id_property)
    pairs = list(zip(rows, inputs, strict=True))
    results = [records.contact(row, item.properties) for row, item in pairs if row["id"] is not None]
    missing = [item.id for row, item in pairs if row["id"] is None]
    errors = [missing_objects("update", missing)] if missing else None
    return JSONResponse(records.batch(started, results, errors), 207 if errors else 200)


@router.post("/upsert")
async def upsert_batch(request: Request, given: WriteBatch) -> Response:
    started, inputs = datetime.now(UTC), limited(given.inputs)
    id_property = _one_id_property(inputs)
    async with database_of(request).transaction() as connection:
        rows = await contacts.upsert(connection, [(item.id, item.properties) for item in inputs], id_property=id_property)
    results = [
        {**records.contact(row, [*item.properties, str(id_property)]), "new": row["is_new"]}
        for row, item in zip(rows, inputs, strict=True)
    ]
    return JSONResponse(records.batch(started, results))


@router.post("/archive")
async def archive_batch(request: Request, given: ArchiveBatch) -> Response:
    keys = [item.id for item in limited(given.inputs)]
    async with database_of(request).transaction() as connection:
        await contacts.archive(connection, keys)
    return Response(status_code=204)
