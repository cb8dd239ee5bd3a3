"""`POST /v1/chat/completions` and `GET /v1/models` over one model in memory; one answer at a time."""

import asyncio
import time
from typing import Annotated, Any, Literal, Protocol

from fastapi import Depends, FastAPI, Header, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

API_KEY = "local-model-key"  # opens nothing but this server


class Writer(Protocol):
    """What of `llama_cpp.Llama` is used."""

    def create_chat_completion(self, messages: list[dict[str, str]], **options: Any) -> dict[str, Any]: ...


class Message(BaseModel):
    role: Literal["system", "user", "assistant"]
    content: str


class Described(BaseModel):
    """The `json_schema` of a response format."""

    model_config = ConfigDict(extra="allow")

    schema_: Annotated[dict[str, Any], Field(alias="schema")]


class ResponseFormat(BaseModel):
    type: Literal["text", "json_object", "json_schema"]
    json_schema: Described | None = None

    def as_llama(self) -> dict[str, Any] | None:
        """The same for llama.cpp, which turns a schema into a grammar: no other token can then be drawn."""
        if self.type == "text":
            return None
        return {"type": "json_object"} | ({"schema": self.json_schema.schema_} if self.json_schema else {})


class ChatRequest(BaseModel):
    """The part of OpenAI's request that this server honours; any other key is an error, not ignored."""

    model_config = ConfigDict(extra="forbid")

    model: str
    messages: list[Message]
    response_format: ResponseFormat = ResponseFormat(type="text")
    temperature: Annotated[float, Field(ge=0, le=2)] = 1.0
    seed: int | None = None
    max_completion_tokens: Annotated[int, Field(gt=0)] | None = None
    max_tokens: Annotated[int, Field(gt=0)] | None = None


def create_app(writer: Writer, name: str, **sampling: Any) -> FastAPI:
    """The application around `writer`, which answers to `name`; `sampling`: options that no request has."""
    app = FastAPI(title=f"{name} on this machine", docs_url=None, openapi_url=None)
    one_at_a_time = asyncio.Lock()

    @app.exception_handler(HTTPException)
    async def _(_: Request, error: HTTPException) -> JSONResponse:
        return JSONResponse({"error": {"message": error.detail, "type": "invalid_request_error"}}, error.status_code)

    @app.exception_handler(RequestValidationError)
    async def _(_: Request, error: RequestValidationError) -> JSONResponse:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc'][1:]))}: {e['msg']}" for e in error.errors()[:5])
        return JSONResponse({"error": {"message": wrong, "type": "invalid_request_error"}}, 400)

    @app.get("/v1/models", dependencies=[Depends(_require_key)])
    async def _() -> dict[str, Any]:
        return {"object": "list", "data": [{"id": name, "object": "model", "created": 0, "owned_by": "local"}]}

    @app.post("/v1/chat/completions", dependencies=[Depends(_require_key)])
    async def _(asked: ChatRequest) -> dict[str, Any]:
        if asked.model != name:
            raise HTTPException(404, f"The model `{asked.model}` does not exist; this server has `{name}`.")
        options = {
            "temperature": asked.temperature, "seed": asked.seed, "response_format": asked.response_format.as_llama(),
            "max_tokens": asked.max_completion_tokens or asked.max_tokens,
        }  # fmt: skip
        messages = [message.model_dump() for message in asked.messages]
        async with one_at_a_time:
            began = time.monotonic()
            try:
                answer = await asyncio.to_thread(writer.create_chat_completion, messages, **options, **sampling)
            except ValueError as error:  # the prompt does not fit, or the schema cannot be made a grammar
                raise HTTPException(400, str(error)) from None
        used, seconds = answer["usage"], time.monotonic() - began
        print(f"{used['prompt_tokens']} tokens read, {used['completion_tokens']} written in {seconds:.1f} s", flush=True)
        return answer | {"model": name}

    return app


def _require_key(authorization: Annotated[str | None, Header()] = None) -> None:
    if authorization != f"Bearer {API_KEY}":
        raise HTTPException(401, f"Send `Authorization: Bearer {API_KEY}`.")
