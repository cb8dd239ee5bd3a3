"""`/communication-preferences/…`: who may be e-mailed about what. v3 by one address, v4 in batches."""

import json
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, BeforeValidator, Field

from sandbox.crm import records
from sandbox.crm.database import Connection, statement, write_alone
from sandbox.crm.errors import invalid_input, not_found

ALL_EMAIL = 0
DEFINED_AT = "2019-08-06T02:41:08.029Z"

router = APIRouter(prefix="/communication-preferences")


def _email_only(channel: Literal["EMAIL"]) -> None:
    """v4 wants `?channel=EMAIL`; there is no other channel."""


EMAIL_ONLY = [Depends(_email_only)]


class StatusUpdate(BaseModel):
    """v3."""

    emailAddress: str
    subscriptionId: Annotated[str, BeforeValidator(str)]
    legalBasis: str | None = None
    legalBasisExplanation: str | None = None


class StatusWriteOfOne(BaseModel):
    """v4, the address being in the path."""

    subscriptionId: int
    statusState: Literal["SUBSCRIBED", "UNSUBSCRIBED"]
    channel: Literal["EMAIL"]
    legalBasis: str | None = None
    legalBasisExplanation: str | None = None


class StatusWrite(StatusWriteOfOne):
    """v4."""

    subscriberIdString: str


class StatusWrites(BaseModel):
    inputs: Annotated[list[StatusWrite], Field(min_length=1, max_length=100)]


class Addresses(BaseModel):
    inputs: Annotated[list[str], Field(min_length=1, max_length=100)]


@router.get("/v3/definitions")
@router.get("/v4/definitions")
async def definitions(request: Request) -> Response:
    async with request.app.state.database.transaction() as connection:
        rows = await (await connection.execute("SELECT * FROM crm.subscription_definitions ORDER BY id")).fetchall()
    found = [
        {"id": str(row["id"]), "name": row["name"], "description": row["description"], "purpose": "Marketing",
         "communicationMethod": "Email", "isActive": True, "isDefault": True, "isInternal": False,
         "createdAt": DEFINED_AT, "updatedAt": DEFINED_AT, "businessUnitId": 0} for row in rows
    ]  # fmt: skip
    key = "subscriptionDefinitions" if "/v3/" in request.url.path else "results"
    return JSONResponse({key: found})


@router.get("/v3/status/email/{email}")
async def statuses_v3(request: Request, email: str) -> Response:
    async with request.app.state.database.transaction() as connection:
        rows = await _read(connection, [email])
    return JSONResponse({"recipient": email, "subscriptionStatuses": [_as_v3(row) for row in rows]})


@router.post("/v3/subscribe")
async def subscribe(request: Request, given: StatusUpdate) -> Response:
    """Refuses an address that unsubscribed: only the person can undo that."""
    async with request.app.state.database.transaction() as connection:
        before = await _find(connection, given.emailAddress, given.subscriptionId)
        if before["status"] == "UNSUBSCRIBED":
            raise invalid_input(f"Subscription {given.subscriptionId} cannot be updated: the contact has unsubscribed.")
        return await _update_v3(connection, given, "SUBSCRIBED")


@router.post("/v3/unsubscribe")
async def unsubscribe(request: Request, given: StatusUpdate) -> Response:
    async with request.app.state.database.transaction() as connection:
        await _find(connection, given.emailAddress, given.subscriptionId)
        return await _update_v3(connection, given, "UNSUBSCRIBED")


@router.post("/v4/statuses/batch/read", dependencies=EMAIL_ONLY)
async def read_batch(request: Request, given: Addresses) -> Response:
    started = datetime.now(UTC)
    async with request.app.state.database.transaction() as connection:
        rows = await _read(connection, given.inputs)
    results = [
        {"subscriberIdString": email, "statuses": [_as_v4(row) for row in rows if row["email"] == email.lower()]}
        for email in dict.fromkeys(given.inputs)
    ]
    return JSONResponse(records.batch(started, results))


@router.post("/v4/statuses/batch/write")
async def write_batch(request: Request, given: StatusWrites) -> Response:
    started = datetime.now(UTC)
    async with request.app.state.database.transaction() as connection:
        results = await _write_v4(connection, given.inputs)
    return JSONResponse(records.batch(started, results))


@router.post("/v4/statuses/batch/unsubscribe-all", dependencies=EMAIL_ONLY)
async def unsubscribe_all_batch(request: Request, given: Addresses) -> Response:
    started = datetime.now(UTC)
    async with request.app.state.database.transaction() as connection:
        await _unsubscribe_all(connection, given.inputs)
        rows = await _read(connection, given.inputs)
    results = [
        {"subscriberIdString": email, "statuses": [_as_v4(row) for row in rows if row["email"] == email.lower()]}
        for email in dict.fromkeys(given.inputs)
    ]
    return JSONResponse(records.batch(started, results))


@router.get("/v4/statuses/{email}", dependencies=EMAIL_ONLY)
async def statuses_v4(request: Request, email: str) -> Response:
    async with request.app.state.database.transaction() as connection:
        rows = await _read(connection, [email])
    return JSONResponse({"results": [_as_v4(row) for row in rows]})


@router.post("/v4/statuses/{email}")
async def write_status_v4(request: Request, email: str, given: StatusWriteOfOne) -> Response:
    async with request.app.state.database.transaction() as connection:
        [result] = await _write_v4(connection, [StatusWrite(subscriberIdString=email, **given.model_dump())])
    return JSONResponse(result)


@router.post("/v4/statuses/{email}/unsubscribe-all", dependencies=EMAIL_ONLY)
async def unsubscribe_all(request: Request, email: str) -> Response:
    async with request.app.state.database.transaction() as connection:
        await _unsubscribe_all(connection, [email])
        rows = await _read(connection, [email])
    return JSONResponse({"results": [_as_v4(row) for row in rows]})


async def _read(connection: Connection, emails: list[str]) -> list[dict[str, Any]]:
    distinct = list(dict.fromkeys(email.lower() for email in emails))
    return await (await connection.execute(statement("read_statuses"), {"emails": distinct})).fetchall()


async def _find(connection: Connection, email: str, subscription_id: str) -> dict[str, Any]:
    row = next((row for row in await _read(connection, [email]) if str(row["id"]) == subscription_id), None)
    if row is None:
        raise not_found()
    return row


async def _write(connection: Connection, statuses: list[dict[str, Any]]) -> None:
    await write_alone(connection)
    emails = list({str(status["email"]).lower() for status in statuses})
    await connection.execute(statement("write_statuses"), {"statuses": json.dumps(statuses), "emails": emails})


async def _update_v3(connection: Connection, given: StatusUpdate, status: str) -> Response:
    await _write(
        connection,
        [{"email": given.emailAddress, "subscription_id": int(given.subscriptionId), "status": status,
          "legal_basis": given.legalBasis, "explanation": given.legalBasisExplanation}],
    )  # fmt: skip
    return JSONResponse(_as_v3(await _find(connection, given.emailAddress, given.subscriptionId)))


async def _write_v4(connection: Connection, inputs: list[StatusWrite]) -> list[dict[str, Any]]:
    wanted = {(given.subscriberIdString.lower(), given.subscriptionId): given for given in inputs}
    rows = {(row["email"], row["id"]): row for row in await _read(connection, [email for email, _ in wanted])}
    unknown = [number for email, number in wanted if (email, number) not in rows]
    if unknown:
        raise invalid_input(f"Subscription {unknown[0]} does not exist.")
    await _write(
        connection,
        [{"email": email, "subscription_id": number, "status": given.statusState, "legal_basis": given.legalBasis,
          "explanation": given.legalBasisExplanation} for (email, number), given in wanted.items()],
    )  # fmt: skip
    after = await _read(connection, [email for email, _ in wanted])
    return [_as_v4(row) for row in after if (row["email"], row["id"]) in wanted]


async def _unsubscribe_all(connection: Connection, emails: list[str]) -> None:
    distinct = dict.fromkeys(email.lower() for email in emails)
    await _write(
        connection, [{"email": email, "subscription_id": ALL_EMAIL, "status": "UNSUBSCRIBED"} for email in distinct]
    )


def _as_v3(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": str(row["id"]), "name": row["name"], "description": row["description"],
        "status": "SUBSCRIBED" if row["status"] == "SUBSCRIBED" else "NOT_SUBSCRIBED",
        "sourceOfStatus": "PORTAL_WIDE_STATUS" if row["is_opted_out_of_all"] else "SUBSCRIPTION_STATUS",
        "brandId": None, "preferenceGroupName": None,
        "legalBasis": row["legal_basis"], "legalBasisExplanation": row["legal_basis_explanation"],
    }  # fmt: skip


def _as_v4(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "channel": "EMAIL", "subscriberIdString": row["email"], "subscriptionId": row["id"], "subscriptionName": row["name"],
        "status": row["status"], "source": "PORTAL_WIDE" if row["is_opted_out_of_all"] else "SUBSCRIPTION",
        "timestamp": records.iso(row["changed_at"]) if row["changed_at"] else None, "businessUnitId": 0,
        "legalBasis": row["legal_basis"], "legalBasisExplanation": row["legal_basis_explanation"],
    }  # fmt: skip
