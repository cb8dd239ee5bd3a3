"""`/crm/v4/…associations…` between contacts and their notes and tasks, as HubSpot answers it."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, cast

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from sandbox.crm import engagements, records
from sandbox.crm.contact_routes import Key, database_of
from sandbox.crm.database import Connection
from sandbox.crm.engagement_kinds import FROM_CONTACT, OBJECT_NAMES, TO_CONTACT, Kind
from sandbox.crm.errors import invalid_input

BATCH_LIMIT = 1000
PAGE = 500  # associations of one record in one answer

router = APIRouter(prefix="/crm/v4")


class From(BaseModel):
    id: Key
    after: int | None = None


class ReadBatch(BaseModel):
    inputs: list[From]


@router.post("/associations/{from_type}/{to_type}/batch/read")
async def read_batch(request: Request, from_type: str, to_type: str, given: ReadBatch) -> Response:
    started = datetime.now(UTC)
    source, target = _object_type(from_type), _object_type(to_type)
    if not given.inputs or len(given.inputs) > BATCH_LIMIT:
        raise invalid_input(f"A batch may hold 1 to {BATCH_LIMIT} inputs; this one holds {len(given.inputs)}.")
    async with database_of(request).transaction() as connection:
        linked = await _linked(connection, source, target, [item.id for item in given.inputs])
    results, errors = [], []
    for item in given.inputs:
        page = _page(linked.get(item.id, []), item.after or 0, PAGE, _type_id(source, target))
        if page["results"]:
            paging = {"paging": page["paging"]} if "paging" in page else {}
            results.append({"from": {"id": item.id}, "to": page["results"], **paging})
        else:
            errors.append(_nothing_found(item.id, source, target))
    return JSONResponse(records.batch(started, results, errors or None), 207 if errors else 200)


@router.get("/objects/{from_type}/{object_id}/associations/{to_type}")
async def list_associations(
    request: Request,
    from_type: str,
    object_id: str,
    to_type: str,
    after: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=PAGE)] = PAGE,
) -> Response:
    source, target = _object_type(from_type), _object_type(to_type)
    async with database_of(request).transaction() as connection:
        linked = await _linked(connection, source, target, [object_id])
    return JSONResponse(_page(linked.get(object_id, []), after, limit, _type_id(source, target)))


def _object_type(name: str) -> str:
    for object_type, names in OBJECT_NAMES.items():
        if re.fullmatch(names, name):
            return object_type
    raise invalid_input(f"Unable to infer object type from: {name}")


def _type_id(source: str, target: str) -> int:
    return FROM_CONTACT[target] if source == "contacts" else TO_CONTACT[source]


async def _linked(connection: Connection, source: str, target: str, ids: list[str]) -> dict[str, list[int]]:
    """The ids that hang on each of `ids`."""
    if (source == "contacts") == (target == "contacts"):
        raise invalid_input(f"The sandbox keeps no associations from {source} to {target}.")
    if target == "contacts":
        return await engagements.contacts_of(connection, cast(Kind, source), ids)
    living = await engagements.living_contacts(connection, ids)
    shown = await engagements.shown_on(connection, cast(Kind, target), list(living.values()))
    return {given: shown.get(contact_id, []) for given, contact_id in living.items()}


def _page(ids: list[int], after: int, limit: int, type_id: int) -> dict[str, Any]:
    rest = [found for found in sorted(ids) if found > after]
    kind_of = [{"category": "HUBSPOT_DEFINED", "typeId": type_id, "label": None}]
    answer: dict[str, Any] = {"results": [{"toObjectId": str(found), "associationTypes": kind_of} for found in rest[:limit]]}
    if len(rest) > limit:
        answer["paging"] = {"next": {"after": str(rest[limit - 1])}}
    return answer


def _nothing_found(object_id: str, source: str, target: str) -> dict[str, Any]:
    return {
        "status": "error", "category": "OBJECT_NOT_FOUND", "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
        "message": f"No {target[:-1]} is associated with {source[:-1]} {object_id}.",
        "context": {"fromObjectId": [object_id], "fromObjectType": [source[:-1]], "toObjectType": [target[:-1]]},
    }  # fmt: skip
