"""Anthropic's Messages API: its wire format, over the same writer."""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, Request
from fastapi.responses import Response

from sandbox.model import protocol
from sandbox.model.dialect import Dialect
from sandbox.model.protocol import ApiError, ChatRequest
from sandbox.model.ratelimit import Allowance

API_KEY = "sandbox-model-key"
MODEL_ID = "sandbox-scribe-1"
FIELDS = (
    "model", "max_tokens", "messages", "system", "output_config", "metadata", "service_tier", "stop_sequences", "stream",
    "thinking", "tool_choice", "tools", "cache_control",
)  # fmt: skip
ERROR_TYPES = {
    400: "invalid_request_error", 401: "authentication_error", 402: "billing_error", 403: "permission_error",
    404: "not_found_error", 413: "request_too_large", 429: "rate_limit_error", 529: "overloaded_error",
}  # fmt: skip


class MessagesError(ApiError):
    """An answer in Anthropic's error shape."""

    def __init__(self, status: int, message: str, *, headers: dict[str, str] | None = None) -> None:
        super().__init__(status, message, headers=headers)
        kind = ERROR_TYPES.get(status, "api_error")
        self.body = {"type": "error", "error": {"type": kind, "message": message}, "request_id": None}


class Messages:
    """Anthropic's dialect."""

    def parse(self, body: bytes) -> ChatRequest:
        try:
            return protocol.parse(json.dumps(_as_chat(_loaded(body))).encode(), models=(MODEL_ID,))
        except MessagesError:
            raise
        except ApiError as error:
            raise self.error(error) from None

    def completion(self, request: ChatRequest, text: str) -> tuple[dict[str, Any], str]:
        answered, text = protocol.completion(request, text)
        was_cut = answered["choices"][0]["finish_reason"] == "length"
        body = {
            "id": f"msg_{request.digest[:24]}",
            "type": "message",
            "role": "assistant",
            "model": request.model,
            "content": [{"type": "text", "text": text}],
            "stop_reason": "max_tokens" if was_cut else "end_turn",
            "stop_sequence": None,
            "usage": {"input_tokens": request.prompt_tokens, "output_tokens": protocol.tokens(text)},
        }
        return body, text

    def rate_headers(self, requests: Allowance, tokens: Allowance) -> dict[str, str]:
        return _rate_headers("requests", requests) | _rate_headers("tokens", tokens)

    def error(self, error: ApiError) -> ApiError:
        return MessagesError(error.status, str(error), headers=error.headers)


MESSAGES = Messages()


def mount_messages(app: FastAPI, complete: Callable[[bytes, Dialect], Awaitable[Response]]) -> None:
    """Add `POST /v1/messages`, answered by `complete`."""

    @app.post("/v1/messages", dependencies=[Depends(require_key)])
    async def _(request: Request) -> Response:
        return await complete(await request.body(), MESSAGES)


def require_key(
    x_api_key: Annotated[str | None, Header()] = None,
    authorization: Annotated[str | None, Header()] = None,
    anthropic_version: Annotated[str | None, Header()] = None,
) -> None:
    """Refuse a request without a key, in either of the headers that clients of different age send, or without a version.

    Raises:
        MessagesError: 401 or 400.
    """
    if x_api_key != API_KEY and authorization != f"Bearer {API_KEY}":
        raise MessagesError(401, "invalid x-api-key")
    if not anthropic_version:
        raise MessagesError(400, "anthropic-version: header is required")


def _loaded(body: bytes) -> dict[str, Any]:
    try:
        data = json.loads(body)
    except ValueError:
        raise MessagesError(400, "The request body is not valid JSON.") from None
    if not isinstance(data, dict):
        raise MessagesError(400, "The request body must be a JSON object.")
    return data


def _as_chat(data: dict[str, Any]) -> dict[str, Any]:
    """The chat completion request that asks the same."""
    if unknown := sorted(set(data) - set(FIELDS)):
        raise MessagesError(400, f"{unknown[0]}: Extra inputs are not permitted")
    if missing := [name for name in ("model", "max_tokens", "messages") if name not in data]:
        raise MessagesError(400, f"{missing[0]}: Field required")
    messages = data["messages"] if isinstance(data["messages"], list) else []
    if any(isinstance(message, dict) and message.get("role") not in ("user", "assistant") for message in messages):
        raise MessagesError(400, "messages: role must be user or assistant; instructions go into the top-level `system`")
    chat = {name: data.get(name) for name in ("model", "max_tokens", "messages", "stream")}
    if data.get("system"):
        chat["messages"] = [{"role": "system", "content": data["system"]}, *messages]
    wanted = (data.get("output_config") or {}).get("format")
    if wanted is not None:
        if not isinstance(wanted, dict) or wanted.get("type") != "json_schema":
            raise MessagesError(400, "output_config.format.type: Input should be 'json_schema'")
        described = {"name": "output", "strict": True, "schema": wanted.get("schema")}
        chat["response_format"] = {"type": "json_schema", "json_schema": described}
    return chat


def _rate_headers(name: str, allowance: Allowance) -> dict[str, str]:
    remaining, reset = allowance.state()
    at = datetime.now(UTC) + timedelta(seconds=reset)
    return {
        f"anthropic-ratelimit-{name}-limit": str(allowance.per_minute),
        f"anthropic-ratelimit-{name}-remaining": str(remaining),
        f"anthropic-ratelimit-{name}-reset": at.isoformat().replace("+00:00", "Z"),
    }
