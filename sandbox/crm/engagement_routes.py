"""`/crm/v3/objects/{notes,tasks}…` as HubSpot answers it: activities that hang on contacts."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, get_args

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, BeforeValidator, JsonValue

from sandbox.crm import contacts, engagements, records
from sandbox.crm.batch_routes import ArchiveBatch, KeyOnly, limited
from sandbox.crm.contact_routes import Key, Names, Values, database_of, names_of
from sandbox.crm.engagement_kinds import Kind
from sandbox.crm.engagements import NewEngagement
from sandbox.crm.errors import HubSpotError, known_in, missing_objects, not_found
from sandbox.crm.search import RESULT_WINDOW, SearchRequest, search

router = APIRouter(prefix="/crm/v3/objects/{kind}")
LISTABLE = {"contact", "contacts", "0-1"}
PathKind = Annotated[Kind, BeforeValidator(known_in(get_args(Kind)))]


class AssociationType(BaseModel):
    associationCategory: Literal["HUBSPOT_DEFINED", "USER_DEFINED", "INTEGRATOR_DEFINED"] = "HUBSPOT_DEFINED"
    associationTypeId: int


class Target(BaseModel):
    id: Key


class Association(BaseModel):
    to: Target
    types: list[AssociationType]


class Create(BaseModel):
    """One note or task; in a batch, `objectWriteTraceId` of every input turns a refusal of all into one for each."""

    properties: dict[str, JsonValue] = {}
    associations: list[Association] = []
    objectWriteTraceId: str | None = None


class CreateBatch(BaseModel):
    inputs: list[Create]


class ReadBatch(BaseModel):
    inputs: list[KeyOnly]
    properties: list[str] | None = None
    propertiesWithHistory: list[str] = []


def _new(kind: Kind, given: Create) -> NewEngagement:
    for association in given.associations:
        for kind_of in association.types:
            engagements.check_association_type(kind, kind_of.associationCategory, kind_of.associationTypeId)
    contact_ids = [association.to.id for association in given.associations]
    return NewEngagement(values=given.properties, contact_ids=contact_ids, trace_id=given.objectWriteTraceId)


@router.post("")
async def create_one(request: Request, kind: PathKind, given: Create) -> Response:
    async with database_of(request).transaction() as connection:
        created, wrong = await engagements.create(connection, kind, [_new(kind, given)])
        if wrong:
            raise wrong[0][1]
    return JSONResponse(records.engagement(created[0][1], given.properties), 201)


@router.post("/batch/create")
async def create_batch(request: Request, kind: PathKind, given: CreateBatch) -> Response:
    started, inputs = datetime.now(UTC), [_new(kind, item) for item in limited(given.inputs)]
    trace_ids = {new.trace_id for new in inputs}
    is_multi_status = None not in trace_ids and len(trace_ids) == len(inputs)
    async with database_of(request).transaction() as connection:
        created, wrong = await engagements.create(connection, kind, inputs)
        if wrong and not is_multi_status:
            raise wrong[0][1]
    results = [
        records.engagement(row, new.values) | ({"objectWriteTraceId": new.trace_id} if new.trace_id else {})
        for new, row in created
    ]
    errors = [_row_error(new, error) for new, error in wrong]
    return JSONResponse(records.batch(started, results, errors), 207 if errors else 201)


def _row_error(new: NewEngagement, error: HubSpotError) -> dict[str, Any]:
    body = {key: value for key, value in error.body.items() if key != "correlationId"}
    return {**body, "context": {**body.get("context", {}), "objectWriteTraceId": [new.trace_id]}}


@router.post("/batch/read")
async def read_batch(request: Request, kind: PathKind, given: ReadBatch, archived: bool = False) -> Response:
    started, ids = datetime.now(UTC), list(dict.fromkeys(item.id for item in limited(given.inputs)))
    async with database_of(request).transaction() as connection:
        found = await engagements.read(connection, kind, ids, archived=archived)
    missing = [engagement_id for engagement_id in ids if engagement_id not in found]
    errors = [missing_objects("get", missing, kind[:-1].upper())] if missing else None
    results = [records.engagement(found[engagement_id], given.properties) for engagement_id in ids if engagement_id in found]
    return JSONResponse(records.batch(started, results, errors), 207 if errors else 200)


@router.post("/batch/archive")
async def archive_batch(request: Request, kind: PathKind, given: ArchiveBatch) -> Response:
    async with database_of(request).transaction() as connection:
        await engagements.archive(connection, kind, [item.id for item in limited(given.inputs)])
    return Response(status_code=204)


@router.post("/search")
async def search_engagements(request: Request, kind: PathKind, given: SearchRequest) -> Response:
    async with database_of(request).transaction() as connection:
        total, rows = await search(connection, given, kind)
    answer: dict[str, Any] = {"total": total, "results": [records.engagement(row, given.properties) for row in rows]}
    after = given.after + given.limit
    if after < total and given.after < RESULT_WINDOW and given.limit:
        answer["paging"] = {"next": {"after": str(after)}}
    return JSONResponse(answer)


@router.get("")
async def list_engagements(
    request: Request,
    kind: PathKind,
    limit: Annotated[int, Query(ge=1, le=100)] = 10,
    after: Annotated[int, Query(ge=0, le=contacts.BIGGEST_ID)] = 0,
    properties: Names = None,
    archived: bool = False,
) -> Response:
    async with database_of(request).transaction() as connection:
        rows, next_after = await engagements.page(connection, kind, after=after, limit=limit, archived=archived)
    answer: dict[str, Any] = {"results": [records.engagement(row, names_of(properties or [])) for row in rows]}
    if next_after is not None:
        link = request.url.include_query_params(after=next_after)
        answer["paging"] = {"next": {"after": str(next_after), "link": str(link)}}
    return JSONResponse(answer)


@router.get("/{engagement_id}")
async def get_engagement(
    request: Request,
    kind: PathKind,
    engagement_id: str,
    properties: Names = None,
    associations: Names = None,
    archived: bool = False,
) -> Response:
    async with database_of(request).transaction() as connection:
        row = (await engagements.read(connection, kind, [engagement_id], archived=archived)).get(engagement_id)
        contact_ids = (await engagements.contacts_of(connection, kind, [engagement_id])).get(engagement_id, [])
    if row is None:
        raise not_found()
    record = records.engagement(row, names_of(properties or []))
    if LISTABLE & set(names_of(associations or [])) and contact_ids:
        found = [{"id": str(contact_id), "type": f"{kind[:-1]}_to_contact"} for contact_id in contact_ids]
        record["associations"] = {"contacts": {"results": found}}
    return JSONResponse(record)


@router.patch("/{engagement_id}")
async def update_engagement(request: Request, kind: PathKind, engagement_id: str, given: Values) -> Response:
    async with database_of(request).transaction() as connection:
        row = await engagements.update(connection, kind, engagement_id, given.properties)
    if row is None:
        raise not_found()
    return JSONResponse(records.engagement(row, given.properties))


@router.delete("/{engagement_id}")
async def archive_engagement(request: Request, kind: PathKind, engagement_id: str) -> Response:
    async with database_of(request).transaction() as connection:
        await engagements.archive(connection, kind, [engagement_id])
    return Response(status_code=204)
