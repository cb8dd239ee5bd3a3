"""The OpenAI wire format: what a request may be, what an answer and an error look like."""

import hashlib
import json
import math
import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

MODEL_ID = "sandbox-writer-1"
MINI_MODEL_ID = "sandbox-writer-1-mini"
MODELS = (MODEL_ID, MINI_MODEL_ID)
OWNER = "sandbox writer, not AI"
FINGERPRINT = "fp_sandbox_writer_1"
CHARACTERS_PER_TOKEN = 4  # the usual rule of thumb for English


class ApiError(Exception):
    """An answer in OpenAI's error shape."""

    def __init__(
        self, status: int, message: str, *, code: str | None = None, param: str | None = None,
        type: str = "invalid_request_error", headers: dict[str, str] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(message)
        self.status = status
        self.headers = headers or {}
        self.body = {"error": {"message": message, "type": type, "param": param, "code": code}}


@dataclass(frozen=True)
class ChatRequest:
    """A chat completion request that passed the checks.

    Attributes:
        digest: sha256 of the request as canonical JSON; the writer's only source of variety.
        prompt: every message's text, one after the other, as it is recorded.
        schema: the JSON schema asked for, or None when plain text (or any JSON object) will do.
        max_tokens: the longest answer allowed, in estimated tokens; None is unlimited.
    """

    digest: str
    model: str
    messages: list[dict[str, Any]]
    prompt: str
    schema: dict[str, Any] | None
    wants_json: bool
    max_tokens: int | None
    prompt_tokens: int

    @property
    def system(self) -> str:
        return "\n".join(_text(m) for m in self.messages if m["role"] in ("system", "developer"))

    @property
    def user(self) -> str:
        return "\n".join(_text(m) for m in self.messages if m["role"] == "user")


def parse(body: bytes, models: Collection[str] = MODELS) -> ChatRequest:
    """Check a request body as the real endpoint would; `models` are those that there are.

    Raises:
        ApiError: 400 for what is malformed or not supported here, 404 for an unknown model.
    """
    try:
        data = json.loads(body)
    except ValueError:
        raise ApiError(400, "We could not parse the JSON body of your request.") from None
    if not isinstance(data, dict):
        raise ApiError(400, "The body must be a JSON object.")
    model = data.get("model")
    if not isinstance(model, str):
        raise ApiError(400, "you must provide a model parameter")
    if model not in models:
        there = ", ".join(f"`{name}`" for name in models)
        raise ApiError(404, f"The model `{model}` does not exist; this sandbox has {there}.", code="model_not_found")
    if data.get("stream"):
        raise ApiError(400, "The sandbox does not stream; leave `stream` out.", param="stream", code="unsupported_value")
    messages = _messages(data.get("messages"))
    wants_json, schema = _response_format(data.get("response_format"))
    prompt = "\n\n".join(f"[{m['role']}] {_text(m)}" for m in messages)
    _number(data, "temperature", 0, 2)
    return ChatRequest(
        digest=hashlib.sha256(json.dumps(data, sort_keys=True, ensure_ascii=False).encode()).hexdigest(),
        model=model,
        messages=messages,
        prompt=prompt,
        schema=schema,
        wants_json=wants_json,
        max_tokens=_max_tokens(data),
        prompt_tokens=sum(tokens(_text(m)) for m in messages) + (tokens(json.dumps(schema)) if schema else 0),
    )


def tokens(text: str) -> int:
    """Estimated tokens of `text`."""
    return math.ceil(len(text) / CHARACTERS_PER_TOKEN)


def completion(request: ChatRequest, text: str) -> tuple[dict[str, Any], str]:
    """The answer's body, and the text that it carries: cut when `max_tokens` is reached, as the real one is."""
    finish_reason = "stop"
    if request.max_tokens is not None and tokens(text) > request.max_tokens:
        text, finish_reason = text[: request.max_tokens * CHARACTERS_PER_TOKEN], "length"
    used = tokens(text)
    body = {
        "id": f"chatcmpl-{request.digest[:24]}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": request.model,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text, "refusal": None, "annotations": []},
                "logprobs": None,
                "finish_reason": finish_reason,
            }
        ],
        "usage": {
            "prompt_tokens": request.prompt_tokens,
            "completion_tokens": used,
            "total_tokens": request.prompt_tokens + used,
        },
        "system_fingerprint": FINGERPRINT,
    }
    return body, text


def model_card(model_id: str) -> dict[str, Any]:
    """One entry of `GET /v1/models`."""
    return {"id": model_id, "object": "model", "created": 1_767_225_600, "owned_by": OWNER}


def _messages(messages: Any) -> list[dict[str, Any]]:
    if not isinstance(messages, list) or not messages:
        raise ApiError(400, "`messages` must be a non-empty array.", param="messages")
    roles = {"system", "developer", "user", "assistant", "tool"}
    for position, message in enumerate(messages):
        if not isinstance(message, dict) or message.get("role") not in roles:
            raise ApiError(
                400, f"Invalid value in messages[{position}].role; expected one of {sorted(roles)}.", param="messages"
            )
        if not isinstance(message.get("content"), str | list):
            raise ApiError(400, f"messages[{position}].content must be a string or an array of parts.", param="messages")
    return messages


def _text(message: dict[str, Any]) -> str:
    content = message["content"]
    if isinstance(content, str):
        return content
    return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))


def _response_format(wanted: Any) -> tuple[bool, dict[str, Any] | None]:
    kind = wanted.get("type") if isinstance(wanted, dict) else "text" if wanted is None else None
    if kind in ("text", "json_object"):
        return kind == "json_object", None
    described = wanted.get("json_schema") if isinstance(wanted, dict) else None
    if kind != "json_schema" or not isinstance(described, dict) or not isinstance(described.get("schema"), dict):
        raise ApiError(
            400, "`response_format` must be text, json_object or json_schema with a schema.", param="response_format"
        )
    name = described.get("name")
    if not isinstance(name, str) or not name:
        raise ApiError(400, "Missing required parameter: 'response_format.json_schema.name'.", param="response_format")
    if described.get("strict"):
        _check_strict(described["schema"], name, ())
    return True, described["schema"]


def _check_strict(schema: Any, name: str, path: tuple[str, ...]) -> None:
    """Strict mode's own rules: objects are closed, and every property is required."""
    if not isinstance(schema, dict):
        return
    if schema.get("type") == "object":
        start = f"Invalid schema for response_format '{name}': In context={path}, "
        if schema.get("additionalProperties") is not False:
            raise ApiError(400, start + "'additionalProperties' is required to be supplied and to be false.",
                           param="response_format")  # fmt: skip
        missing = sorted(set(schema.get("properties", {})) - set(schema.get("required", [])))
        if missing:
            raise ApiError(400, start + f"'required' must include every key in properties. Missing '{missing[0]}'.",
                           param="response_format")  # fmt: skip
        for key, inner in schema.get("properties", {}).items():
            _check_strict(inner, name, (*path, "properties", key))
    _check_strict(schema.get("items"), name, (*path, "items"))


def _max_tokens(data: dict[str, Any]) -> int | None:
    for key in ("max_completion_tokens", "max_tokens"):
        value = _number(data, key, 1, 1_000_000)
        if value is not None:
            return int(value)
    return None


def _number(data: dict[str, Any], key: str, low: float, high: float) -> float | None:
    value = data.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ApiError(400, f"Invalid '{key}': expected a number from {low} to {high}, found {value!r}.", param=key)
    return value
