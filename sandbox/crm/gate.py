"""What every request passes before its route: paths, tokens, limits, faults, and the record of what was answered."""

import asyncio
import json
import re
from collections import Counter, deque
from datetime import UTC, datetime
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.crm.engagement_kinds import OBJECT_NAMES
from sandbox.crm.errors import HubSpotError
from sandbox.crm.faults import Fault, close_connection
from sandbox.crm.rate_limits import RateLimits, refused
from sandbox.crm.records import iso
from sandbox.crm.settings import Settings

ADMIN_PREFIX = "/__admin__/"
ADMIN_HEADER = "X-Sandbox-Admin"
DATED = r"20\d\d-\d\d(?:-beta)?"
VERSION = rf"(?:v3|{DATED})"
# Dated versions and the other names of an object are answered as v3 (v4 for subscriptions and associations).
ALIASES = [
    *(
        (re.compile(rf"^/crm/(?:{family}/{VERSION}|{VERSION}/{family})/(?:{names})(?=/|$)"), f"/crm/v3/{family}/{name}")
        for family in ("objects", "properties")
        for name, names in OBJECT_NAMES.items()
    ),
    (re.compile(r"^/crm/v3/objects/([^/]+/[^/]+/associations/[^/]+)$"), r"/crm/v4/objects/\1"),
    (re.compile(rf"^/crm/associations/{DATED}(?=/)"), "/crm/v4/associations"),
    (re.compile(r"^/communication-preferences/20\d\d-\d\d(?:-beta)?(?=/)"), "/communication-preferences/v4"),
]
USUAL_ERRORS = {
    409: ("Contact already exists.", "CONFLICT"),
    423: ("The record is locked, try again later.", "LOCKED"),
    502: ("Bad gateway", "BAD_GATEWAY"),
    503: ("Service unavailable", "SERVICE_UNAVAILABLE"),
    504: ("Gateway timeout", "TIMEOUT"),
}
CLOSED = 0  # the status recorded for a connection that was closed without an answer


class Gate:
    """The outermost part of the application.

    Attributes:
        settings: limits and lags in force; the admin routes replace them.
        faults: in the order in which they are tried; the first that strikes is used.
    """

    def __init__(self, app: ASGIApp, *, token: str, admin_key: str) -> None:
        self._app, self._token, self._admin_key = app, token, admin_key
        self.settings = Settings()
        self.reset()

    def reset(self) -> None:
        """Forget faults, used limits and recorded requests."""
        self.faults: list[Fault] = []
        self.limits = RateLimits()
        self.counts: Counter[tuple[str, str, int]] = Counter()
        self.last_requests: deque[dict[str, Any]] = deque(maxlen=1000)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["state"]["gate"] = self
        path = scope["path"] = _canonical(scope["path"])
        if path.startswith(ADMIN_PREFIX):
            await self._admin(scope, receive, send)
        elif path.startswith(("/crm/", "/communication-preferences/", "/email/")):
            await self._api(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _admin(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _header(scope, ADMIN_HEADER) == self._admin_key or scope["path"] == f"{ADMIN_PREFIX}health":
            await self._app(scope, receive, send)
        else:
            await _answer(send, HubSpotError(403, f"The admin routes need the header {ADMIN_HEADER}.", "FORBIDDEN"))

    async def _api(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if _header(scope, "Authorization") != f"Bearer {self._token}":
                raise HubSpotError(
                    401, "Authentication credentials not found. This API supports OAuth 2.0 authentication.",
                    "INVALID_AUTHENTICATION",
                )  # fmt: skip
            headers = self.limits.take(self.settings, is_search=scope["path"].endswith("/search"))
        except HubSpotError as error:
            self._record(scope, error.status)
            await _answer(send, error)
            return
        fault = next((fault for fault in self.faults if fault.strikes(scope["method"], scope["path"])), None)
        status = 500
        try:
            if fault is None:
                status = await _pass_on(self._app, scope, receive, send, headers)
            else:
                status = await self._with_fault(fault, scope, receive, send, headers)
        finally:
            self._record(scope, status)

    async def _with_fault(self, fault: Fault, scope: Scope, receive: Receive, send: Send, headers: dict[str, str]) -> int:
        receive = await _received(receive)  # a caller that hangs up while it waits does not take the request back
        if not fault.after_write:
            await asyncio.sleep(fault.delay_seconds)
        if fault.close_before_write:
            await close_connection(scope, receive)
            return CLOSED
        does_the_work = fault.after_write or fault.close_after_write or fault.status is None
        answer: list[Message] = []
        status = await _pass_on(self._app, scope, receive, _keep_in(answer), headers) if does_the_work else 0
        if fault.after_write:
            await asyncio.sleep(fault.delay_seconds)
        if fault.close_after_write:
            await close_connection(scope, receive)
            return CLOSED
        if fault.status is not None:
            await _answer(send, _ordered_error(fault), {**headers, **fault.headers}, fault.body)
            return fault.status
        for message in answer:
            await send(message)
        return status

    def _record(self, scope: Scope, status: int) -> None:
        route = str(getattr(scope.get("route"), "path", scope["path"]))
        self.counts[scope["method"], route, status] += 1
        self.last_requests.append(
            {
                "at": iso(datetime.now(UTC)),
                "method": scope["method"],
                "path": scope["path"],
                "route": route,
                "status": status,
            }
        )


def _canonical(path: str) -> str:
    for pattern, replacement in ALIASES:
        path = pattern.sub(replacement, path)
    return path


def _header(scope: Scope, name: str) -> str | None:
    wanted = name.lower().encode()
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == wanted), None)


def _ordered_error(fault: Fault) -> HubSpotError:
    assert fault.status is not None
    if fault.status == 429:
        return refused("TEN_SECONDLY_ROLLING")
    return HubSpotError(fault.status, *USUAL_ERRORS.get(fault.status, ("internal error", "INTERNAL_ERROR")))


async def _received(receive: Receive) -> Receive:
    """Read the whole body now; the application gets it later, whether the caller is still there or not."""
    messages = [await receive()]
    while messages[-1].get("more_body"):
        messages.append(await receive())

    async def replay() -> Message:
        return messages.pop(0) if messages else await receive()

    return replay


def _keep_in(messages: list[Message]) -> Send:
    async def keep(message: Message) -> None:
        messages.append(message)

    return keep


async def _pass_on(app: ASGIApp, scope: Scope, receive: Receive, send: Send, headers: dict[str, str]) -> int:
    """Let the application answer, with `headers` added; returns the status."""
    status = 500

    async def send_with_headers(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
            message["headers"] = [*message["headers"], *((k.encode(), v.encode()) for k, v in headers.items())]
        await send(message)

    await app(scope, receive, send_with_headers)
    return status


async def _answer(send: Send, error: HubSpotError, headers: dict[str, str] | None = None, body: Any = None) -> None:
    content = error.body if body is None else body
    text = content if isinstance(content, str) else json.dumps(content)
    kind = "text/html" if isinstance(content, str) else "application/json"
    all_headers = {"content-type": f"{kind};charset=utf-8", "content-length": str(len(text.encode()))}
    all_headers |= {**error.headers, **(headers or {})}
    await send(
        {"type": "http.response.start", "status": error.status,
         "headers": [(k.lower().encode(), v.encode()) for k, v in all_headers.items()]}
    )  # fmt: skip
    await send({"type": "http.response.body", "body": text.encode()})
