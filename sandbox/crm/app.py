"""The sandbox CRM as an ASGI application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from sandbox.crm import (
    admin,
    association_routes,
    batch_routes,
    contact_routes,
    email_events,
    engagement_routes,
    pages,
    properties,
    property_routes,
    settings,
    subscriptions,
)
from sandbox.crm.database import Database
from sandbox.crm.errors import HubSpotError, invalid_input, not_found
from sandbox.crm.gate import Gate

DEFAULT_TOKEN = "sandbox-crm-token"  # noqa: S105 - opens nothing but a sandbox on loopback
DEFAULT_ADMIN_KEY = "sandbox"


def create_app(database_url: str, *, token: str = DEFAULT_TOKEN, admin_key: str = DEFAULT_ADMIN_KEY) -> ASGIApp:
    """The whole application; it creates its schema when it starts."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.database = database = Database(database_url)
        await database.create_schema()
        async with database.transaction() as connection:
            await properties.create_defaults(connection)
            gate.settings = await settings.load(connection)
        yield
        await database.close()

    app = FastAPI(lifespan=lifespan, openapi_url=None, redirect_slashes=False)
    for router in (
        contact_routes, batch_routes, engagement_routes, association_routes, property_routes, subscriptions, email_events,
        admin, pages,
    ):  # fmt: skip
        app.include_router(router.router)
    app.add_exception_handler(HubSpotError, _refused)
    app.add_exception_handler(RequestValidationError, _wrong_shape)
    app.add_exception_handler(ValidationError, _wrong_shape)
    app.add_exception_handler(psycopg.DataError, _wrong_data)
    app.add_exception_handler(HTTPException, _no_route)
    gate = Gate(app, token=token, admin_key=admin_key)
    return gate


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, HubSpotError)
    return JSONResponse(error.body, error.status, headers=error.headers)


async def _wrong_shape(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError | ValidationError)
    problems = [
        {"message": problem["msg"], "in": ".".join(str(part) for part in problem["loc"])} for problem in error.errors()
    ]
    first = problems[0]
    return await _refused(request, invalid_input(f"Invalid input: {first['in']}: {first['message']}", errors=problems))


async def _wrong_data(request: Request, error: Exception) -> Response:
    # What PostgreSQL cannot hold, e.g. a NUL character.
    return await _refused(request, invalid_input(f"Invalid input: {type(error).__name__}"))


async def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        return await _refused(request, HubSpotError(405, "Method not allowed", "METHOD_NOT_ALLOWED"))
    return await _refused(request, not_found())
