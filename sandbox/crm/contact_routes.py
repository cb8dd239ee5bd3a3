"""`/crm/v3/objects/contacts…` as HubSpot answers it."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, BeforeValidator, JsonValue

from sandbox.crm import contacts, records
from sandbox.crm.database import Database, statement
from sandbox.crm.errors import invalid_input, missing_objects, not_found
from sandbox.crm.search import RESULT_WINDOW, SearchRequest, search

BATCH_LIMIT = 100

router = APIRouter(prefix="/crm/v3/objects/contacts")
Key = Annotated[str, BeforeValidator(lambda value: str(value) if isinstance(value, int) else value)]


class Values(BaseModel):
    properties: dict[str, JsonValue] = {}


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
    idProperty: str | None = None


class Merge(BaseModel):
    primaryObjectId: Key
    objectIdToMerge: Key


class GdprDelete(BaseModel):
    objectId: Key
    idProperty: str | None = None


def _names(properties: list[str] | None) -> list[str] | None:
    """Property names of a query string: repeated, separated by commas, or both."""
    return None if properties is None else [name for part in properties for name in part.split(",") if name]


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


def _limited(inputs: list[Any]) -> list[Any]:
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


@router.get("")
async def list_contacts(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=100)] = 10,
    after: Annotated[int, Query(ge=0, le=contacts.BIGGEST_ID)] = 0,
    properties: Annotated[list[str] | None, Query()] = None,
    archived: bool = False,
) -> Response:
    async with _database(request).transaction() as connection:
        rows, next_after = await contacts.page(connection, after=after, limit=limit, archived=archived)
    answer: dict[str, Any] = {"results": [records.contact(row, _names(properties)) for row in rows]}
    if next_after is not None:
        link = request.url.include_query_params(after=next_after)
        answer["paging"] = {"next": {"after": str(next_after), "link": str(link)}}
    return JSONResponse(answer)


@router.post("")
async def create_contact(request: Request, given: Values) -> Response:
    async with _database(request).transaction() as connection:
        [row] = await contacts.create(connection, [given.properties])
    return JSONResponse(records.contact(row, given.properties), 201)


@router.post("/batch/read")
async def read_batch(request: Request, given: ReadBatch, archived: bool = False) -> Response:
    started, keys = datetime.now(UTC), [item.id for item in _limited(given.inputs)]
    async with _database(request).transaction() as connection:
        rows = await contacts.read(connection, list(dict.fromkeys(keys)), id_property=given.idProperty, archived=archived)
    found = {row["id"]: records.contact(row, given.properties) for row in rows if row["id"] is not None}
    missing = [row["key"] for row in rows if row["id"] is None]
    errors = [missing_objects("get", missing)] if missing else None
    return JSONResponse(records.batch(started, list(found.values()), errors), 207 if errors else 200)


@router.post("/batch/create")
async def create_batch(request: Request, given: CreateBatch) -> Response:
    started, inputs = datetime.now(UTC), _limited(given.inputs)
    async with _database(request).transaction() as connection:
        rows = await contacts.create(connection, [item.properties for item in inputs])
    results = [records.contact(row, item.properties) for row, item in zip(rows, inputs, strict=True)]
    return JSONResponse(records.batch(started, results), 201)


@router.post("/batch/update")
async def update_batch(request: Request, given: WriteBatch) -> Response:
    started, inputs = datetime.now(UTC), _limited(given.inputs)
    id_property = _one_id_property(inputs)
    async with _database(request).transaction() as connection:
        rows = await contacts.update(connection, [(item.id, item.properties) for item in inputs], id_property=id_property)
    pairs = list(zip(rows, inputs, strict=True))
    results = [records.contact(row, item.properties) for row, item in pairs if row["id"] is not None]
    missing = [item.id for row, item in pairs if row["id"] is None]
    errors = [missing_objects("update", missing)] if missing else None
    return JSONResponse(records.batch(started, results, errors), 207 if errors else 200)


@router.post("/batch/upsert")
async def upsert_batch(request: Request, given: WriteBatch) -> Response:
    started, inputs = datetime.now(UTC), _limited(given.inputs)
    id_property = _one_id_property(inputs)
    async with _database(request).transaction() as connection:
        rows = await contacts.upsert(connection, [(item.id, item.properties) for item in inputs], id_property=id_property)
    results = [
        {**records.contact(row, [*item.properties, str(id_property)]), "new": row["is_new"]}
        for row, item in zip(rows, inputs, strict=True)
    ]
    return JSONResponse(records.batch(started, results))


@router.post("/batch/archive")
async def archive_batch(request: Request, given: ArchiveBatch) -> Response:
    bound = {"keys": [item.id for item in _limited(given.inputs)], "id_property": None}
    async with _database(request).transaction() as connection:
        await connection.execute(statement("archive_contacts"), bound)
    return Response(status_code=204)


@router.post("/search")
async def search_contacts(request: Request, given: SearchRequest) -> Response:
    async with _database(request).transaction() as connection:
        total, rows = await search(connection, given)
    answer: dict[str, Any] = {"total": total, "results": [records.contact(row, given.properties) for row in rows]}
    after = given.after + given.limit
    if after < total and given.after < RESULT_WINDOW and given.limit:
        answer["paging"] = {"next": {"after": str(after)}}
    return JSONResponse(answer)


@router.post("/merge")
async def merge_contacts(request: Request, given: Merge) -> Response:
    async with _database(request).transaction() as connection:
        row = await contacts.merge(connection, primary_key=given.primaryObjectId, merged_key=given.objectIdToMerge)
    names = [*records.DEFAULT_PROPERTIES, "hs_merged_object_ids", "hs_additional_emails"]
    return JSONResponse(records.contact(row, names))


@router.post("/gdpr-delete")
async def gdpr_delete(request: Request, given: GdprDelete) -> Response:
    async with _database(request).transaction() as connection:
        for archived in (False, True):
            rows = await contacts.read(connection, [given.objectId], id_property=given.idProperty, archived=archived)
            await connection.execute(statement("erase_contact"), {"id": rows[0]["id"]})
    return Response(status_code=204)


@router.get("/{contact_id}")
async def get_contact(
    request: Request,
    contact_id: str,
    properties: Annotated[list[str] | None, Query()] = None,
    archived: bool = False,
    id_property: Annotated[str | None, Query(alias="idProperty")] = None,
) -> Response:
    async with _database(request).transaction() as connection:
        [row] = await contacts.read(connection, [contact_id], id_property=id_property, archived=archived)
    if row["id"] is None:
        raise not_found()
    return JSONResponse(records.contact(row, _names(properties)))


@router.patch("/{contact_id}")
async def update_contact(
    request: Request,
    contact_id: str,
    given: Values,
    id_property: Annotated[str | None, Query(alias="idProperty")] = None,
) -> Response:
    async with _database(request).transaction() as connection:
        [row] = await contacts.update(connection, [(contact_id, given.properties)], id_property=id_property)
    if row["id"] is None:
        raise not_found()
    return JSONResponse(records.contact(row, given.properties))


@router.delete("/{contact_id}")
async def archive_contact(request: Request, contact_id: str) -> Response:
    bound = {"keys": [contact_id], "id_property": None}
    async with _database(request).transaction() as connection:
        await connection.execute(statement("archive_contacts"), bound)
    return Response(status_code=204)
