"""`/crm/v3/objects/contacts…` as HubSpot answers it."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, BeforeValidator, JsonValue

from sandbox.crm import contacts, records
from sandbox.crm.database import Database
from sandbox.crm.errors import invalid_input, not_found
from sandbox.crm.search import RESULT_WINDOW, SearchRequest, search

HISTORY_LIMIT = 50  # records of one read with propertiesWithHistory

router = APIRouter(prefix="/crm/v3/objects/contacts")
Names = Annotated[list[str] | None, Query()]
HistoryNames = Annotated[list[str] | None, Query(alias="propertiesWithHistory")]
Key = Annotated[str, BeforeValidator(lambda value: str(value) if isinstance(value, int) else value)]


class Values(BaseModel):
    properties: dict[str, JsonValue] = {}


class Merge(BaseModel):
    primaryObjectId: Key
    objectIdToMerge: Key


class GdprDelete(BaseModel):
    objectId: Key
    idProperty: str | None = None


def names_of(properties: list[str]) -> list[str]:
    """Property names of a query string: repeated, separated by commas, or both."""
    return [name for part in properties for name in part.split(",") if name]


def check_history(names: list[str], records_asked: int) -> None:
    if names and records_asked > HISTORY_LIMIT:
        raise invalid_input(f"A read with propertiesWithHistory may ask for {HISTORY_LIMIT} records, not {records_asked}.")


def database_of(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


@router.get("")
async def list_contacts(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=100)] = 10,
    after: Annotated[int, Query(ge=0, le=contacts.BIGGEST_ID)] = 0,
    properties: Names = None,
    history: HistoryNames = None,
    archived: bool = False,
) -> Response:
    names, history_names = names_of(properties or []) or None, names_of(history or [])
    check_history(history_names, limit)
    async with database_of(request).transaction() as connection:
        rows, next_after = await contacts.page(connection, after=after, limit=limit, archived=archived)
        histories = await contacts.histories(connection, rows, history_names)
    answer: dict[str, Any] = {"results": [records.contact(row, names, histories) for row in rows]}
    if next_after is not None:
        link = request.url.include_query_params(after=next_after)
        answer["paging"] = {"next": {"after": str(next_after), "link": str(link)}}
    return JSONResponse(answer)


@router.post("")
async def create_contact(request: Request, given: Values) -> Response:
    async with database_of(request).transaction() as connection:
        [row] = await contacts.create(connection, [given.properties])
    return JSONResponse(records.contact(row, given.properties), 201)


@router.post("/search")
async def search_contacts(request: Request, given: SearchRequest) -> Response:
    async with database_of(request).transaction() as connection:
        total, rows = await search(connection, given)
    answer: dict[str, Any] = {"total": total, "results": [records.contact(row, given.properties) for row in rows]}
    after = given.after + given.limit
    if after < total and given.after < RESULT_WINDOW and given.limit:
        answer["paging"] = {"next": {"after": str(after)}}
    return JSONResponse(answer)


@router.post("/merge")
async def merge_contacts(request: Request, given: Merge) -> Response:
    async with database_of(request).transaction() as connection:
        row = await contacts.merge(connection, primary_key=given.primaryObjectId, merged_key=given.objectIdToMerge)
    names = [*records.DEFAULT_PROPERTIES, "hs_merged_object_ids", "hs_additional_emails"]
    return JSONResponse(records.contact(row, names))


@router.post("/gdpr-delete")
async def gdpr_delete(request: Request, given: GdprDelete) -> Response:
    async with database_of(request).transaction() as connection:
        await contacts.erase(connection, given.objectId, id_property=given.idProperty)
    return Response(status_code=204)


@router.get("/{contact_id}")
async def get_contact(
    request: Request,
    contact_id: str,
    properties: Names = None,
    history: HistoryNames = None,
    archived: bool = False,
    id_property: Annotated[str | None, Query(alias="idProperty")] = None,
) -> Response:
    async with database_of(request).transaction() as connection:
        [row] = await contacts.read(connection, [contact_id], id_property=id_property, archived=archived)
        histories = await contacts.histories(connection, [row], names_of(history or []))
    if row["id"] is None:
        raise not_found()
    return JSONResponse(records.contact(row, names_of(properties or []) or None, histories))


@router.patch("/{contact_id}")
async def update_contact(
    request: Request,
    contact_id: str,
    given: Values,
    id_property: Annotated[str | None, Query(alias="idProperty")] = None,
) -> Response:
    async with database_of(request).transaction() as connection:
        [row] = await contacts.update(connection, [(contact_id, given.properties)], id_property=id_property)
    if row["id"] is None:
        raise not_found()
    return JSONResponse(records.contact(row, given.properties))


@router.delete("/{contact_id}")
async def archive_contact(request: Request, contact_id: str) -> Response:
    async with database_of(request).transaction() as connection:
        await contacts.archive(connection, [contact_id])
    return Response(status_code=204)
