"""The HTTP routes: OpenAI's under `/v1`, the sandbox's own under `/__admin__`."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, HTTPException, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.types import Receive, Scope, Send

from sandbox.model import protocol
from sandbox.model.anthropic import mount_messages
from sandbox.model.batch_routes import mount_batches
from sandbox.model.behaviour import ANSWER_MODES, Behaviour, Rule, spoil
from sandbox.model.dialect import CHAT_COMPLETIONS, Dialect
from sandbox.model.protocol import ApiError, ChatRequest
from sandbox.model.ratelimit import Allowance
from sandbox.model.store import RequestStore
from sandbox.model.writer import write

API_KEY = "sandbox-model-key"
ADMIN_HEADER = "sandbox"


class Limits(BaseModel):
    """What one API key may use in a minute."""

    model_config = ConfigDict(extra="forbid")

    requests_per_minute: Annotated[int, Field(gt=0)] = 10_000
    tokens_per_minute: Annotated[int, Field(gt=0)] = 10_000_000


class ModelServer:
    """State of one server: limits, rules of misbehaviour, the store of requests."""

    def __init__(self, database_url: str, limits: Limits, latency_ms: float) -> None:
        self.store = RequestStore(database_url)
        self.behaviour = Behaviour()
        self.latency_ms = latency_ms
        self.initial_limits = limits
        self.set_limits(limits)

    def set_limits(self, limits: Limits) -> None:
        self.requests = Allowance(limits.requests_per_minute)
        self.tokens = Allowance(limits.tokens_per_minute)

    async def complete(self, body: bytes, dialect: Dialect) -> Response:
        """Answer one request for a completion, well or as badly as the rules demand; either way it is recorded."""
        try:
            request = dialect.parse(body)
        except ApiError as error:
            await self.store.record(model=None, prompt=body.decode(errors="replace"), answer=str(error), status=error.status,
                                    misbehaviour=None, prompt_tokens=0, completion_tokens=0)  # fmt: skip
            raise
        struck = self.behaviour.strike(request.digest)
        delay = self.latency_ms / 1000 + sum(rule.delay_seconds for rule in struck if rule.mode == "slow")
        if delay:
            await asyncio.sleep(delay)
        try:
            self._take_allowance(request)
            for rule in struck:
                _refuse(rule)
        except ApiError as error:
            await self._record(request, error.status, struck, str(error), 0)
            error.headers |= dialect.rate_headers(self.requests, self.tokens)
            raise dialect.error(error) from None
        content, text = dialect.completion(request, _answer(request, struck))
        closed = any(rule.mode == "closed_connection" for rule in struck)
        await self._record(request, 0 if closed else 200, struck, text, protocol.tokens(text))
        kind = _ClosedHalfway if closed else JSONResponse
        return kind(
            content,
            headers=dialect.rate_headers(self.requests, self.tokens) | {"x-request-id": f"req_{request.digest[:24]}"},
        )

    def _take_allowance(self, request: ChatRequest) -> None:
        for allowance, units, what in ((self.requests, 1, "requests"), (self.tokens, request.prompt_tokens, "tokens")):
            wait = allowance.take(units)
            if wait:
                raise _rate_limited(what, f"Limit {allowance.per_minute} per minute", wait)

    async def _record(self, request: ChatRequest, status: int, struck: list[Rule], answer: str, used: int) -> None:
        await self.store.record(
            model=request.model, prompt=request.prompt, answer=answer, status=status,
            misbehaviour=", ".join(rule.mode for rule in struck) or None,
            prompt_tokens=request.prompt_tokens, completion_tokens=used,
        )  # fmt: skip


def create_app(database_url: str, *, limits: Limits | None = None, latency_ms: float = 0) -> FastAPI:
    """The application, ready for uvicorn."""
    server = ModelServer(database_url, limits or Limits(), latency_ms)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await server.store.open()
        yield
        await server.store.close()

    app = FastAPI(title="Sandbox model server (a deterministic writer, not AI)", lifespan=lifespan)

    @app.exception_handler(ApiError)
    async def _(_: Request, error: ApiError) -> JSONResponse:
        return JSONResponse(error.body, status_code=error.status, headers=error.headers)

    @app.get("/v1/models", dependencies=[Depends(_require_key)])
    async def _() -> dict[str, Any]:
        return {"object": "list", "data": [protocol.model_card(model_id) for model_id in protocol.MODELS]}

    @app.get("/v1/models/{model_id}", dependencies=[Depends(_require_key)])
    async def _(model_id: str) -> dict[str, Any]:
        if model_id not in protocol.MODELS:
            raise ApiError(404, f"The model '{model_id}' does not exist.", code="model_not_found", param="model")
        return protocol.model_card(model_id)

    @app.post("/v1/chat/completions", dependencies=[Depends(_require_key)])
    async def _(request: Request) -> Response:
        return await server.complete(await request.body(), CHAT_COMPLETIONS)

    mount_messages(app, server.complete)

    @app.get("/__admin__/health")
    async def _() -> dict[str, str]:
        return {"status": "ok", "model": protocol.MODEL_ID, "owner": protocol.OWNER}

    admin = [Depends(_require_admin)]
    desk = mount_batches(app, server.behaviour, server.store, openai_key=[Depends(_require_key)], admin=admin)

    @app.get("/__admin__/requests", dependencies=admin)
    async def _(limit: int = 1000) -> dict[str, Any]:
        return await server.store.summary(limit)

    @app.get("/__admin__/behaviour", dependencies=admin)
    async def _() -> list[dict[str, Any]]:
        pairs = zip(server.behaviour.rules, server.behaviour.strikes, strict=True)
        return [rule.model_dump() | {"strikes": strikes} for rule, strikes in pairs]

    @app.post("/__admin__/behaviour", dependencies=admin)
    async def _(rule: Rule) -> Rule:
        server.behaviour.add(rule)
        return rule

    @app.post("/__admin__/limits", dependencies=admin)
    async def _(limits: Limits) -> Limits:
        server.set_limits(limits)
        return limits

    @app.post("/__admin__/reset", dependencies=admin)
    async def _() -> dict[str, str]:
        server.behaviour.reset()
        desk.reset()
        server.set_limits(server.initial_limits)
        await server.store.forget()
        return {"status": "reset"}

    return app


def _require_key(authorization: Annotated[str | None, Header()] = None) -> None:
    if authorization != f"Bearer {API_KEY}":
        found = "no API key" if not authorization else "an incorrect API key"
        raise ApiError(401, f"Found {found}. Send `Authorization: Bearer {API_KEY}`.", code="invalid_api_key")


def _require_admin(x_sandbox_admin: Annotated[str | None, Header()] = None) -> None:
    if x_sandbox_admin != ADMIN_HEADER:
        raise HTTPException(403, f"Send the header `X-Sandbox-Admin: {ADMIN_HEADER}`.")


def _refuse(rule: Rule) -> None:
    """Raise what `rule` asks for, if it asks for an error."""
    if rule.mode == "rate_limited":
        raise _rate_limited("requests", "Told to refuse by an admin rule", rule.retry_after_seconds)
    if rule.mode == "server_error":
        raise ApiError(500, "The server had an error while processing your request.", type="server_error")


def _rate_limited(what: str, why: str, wait_seconds: float | None) -> ApiError:
    headers = {}
    if wait_seconds is not None:
        headers = {"retry-after": f"{wait_seconds:.3f}", "retry-after-ms": f"{wait_seconds * 1000:.0f}"}
    message = f"Rate limit reached for {protocol.MODEL_ID} on {what}. {why}."
    return ApiError(429, message, type=what, code="rate_limit_exceeded", headers=headers)


def _answer(request: ChatRequest, struck: list[Rule]) -> str:
    answer = write(request)
    for rule in struck:
        if rule.mode in ANSWER_MODES:
            answer = spoil(rule.mode, answer, system=request.system)
    return answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)


class _ClosedHalfway(JSONResponse):
    """Promises the whole body, sends half of it and ends: the server then closes the connection."""

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": bytes(self.body)[: len(self.body) // 2], "more_body": True})
