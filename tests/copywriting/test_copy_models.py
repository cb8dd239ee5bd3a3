"""The adapters over the clients of both vendors: against answers that no sandbox gives, and against the sandbox."""

import asyncio
import json
from typing import Any, Literal

import httpx
import httpx2
import pytest
from anthropic import AsyncAnthropic
from copy_night import SECOND_MODEL
from openai import AsyncOpenAI

from nurture.copywriting.allowances import Allowance
from nurture.copywriting.anthropic_model import AnthropicModel
from nurture.copywriting.chat_model import Answer, ChatModel, ModelBusy, ModelRefused
from nurture.copywriting.openai_model import OpenAIModel
from sandbox.model import RunningModel

Vendor = Literal["openai", "anthropic"]
VENDORS: tuple[Vendor, ...] = ("openai", "anthropic")
MESSAGES = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}]
SCHEMA = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"], "additionalProperties": False}
FORMAT = {"type": "json_schema", "json_schema": {"name": "copy", "strict": True, "schema": SCHEMA}}
PARAMETERS = {"temperature": 0, "seed": 7, "max_completion_tokens": 50}


def ask(vendor: Vendor, status: int, *, headers: dict[str, str] | None = None, **body: Any) -> Answer:
    """What the vendor's adapter makes of one HTTP answer. `body`: `json` or `text`."""

    async def work() -> Answer:
        model: ChatModel
        if vendor == "openai":
            transport = httpx.MockTransport(lambda _: httpx.Response(status, headers=headers, **body))
            openai = AsyncOpenAI(
                api_key="k", base_url="http://endpoint.example/v1", http_client=httpx.AsyncClient(transport=transport)
            )
            async with openai:
                return await OpenAIModel(openai, "m", timeout_seconds=5).ask(MESSAGES, FORMAT, PARAMETERS)
        transport2 = httpx2.MockTransport(lambda _: httpx2.Response(status, headers=headers, **body))
        anthropic = AsyncAnthropic(
            api_key="k", base_url="http://endpoint.example", http_client=httpx2.AsyncClient(transport=transport2)
        )
        async with anthropic:
            model = AnthropicModel(anthropic, "m", timeout_seconds=5)
            return await model.ask(MESSAGES, FORMAT, PARAMETERS)

    return asyncio.run(work())


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({"retry-after": "7"}, 7.0), ({"retry-after-ms": "1500"}, 1.5), ({"retry-after": "soon"}, None), ({}, None),
     ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0)],
)  # fmt: skip
def test_the_wait_asked_for_is_read_in_every_form(vendor: Vendor, headers: dict[str, str], seconds: float | None) -> None:
    with pytest.raises(ModelBusy) as failure:
        ask(vendor, 429, headers=headers, json={"error": {"message": "slow down"}})

    assert (failure.value.status, failure.value.is_overload) == ("rate_limited", True)
    assert failure.value.retry_after_seconds == seconds


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize(("status", "is_overload"), [(500, False), (502, False), (503, True), (529, True)])
def test_an_overload_is_told_from_other_failures(vendor: Vendor, status: int, is_overload: bool) -> None:
    with pytest.raises(ModelBusy) as failure:
        ask(vendor, status, json={"error": {"message": "no"}})

    assert (failure.value.status, failure.value.is_overload) == ("server_error", is_overload)


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize(
    ("status", "code", "concerns_all"),
    [(400, None, False), (413, None, False), (422, None, False), (401, None, True), (402, None, True), (403, None, True),
     (404, None, True)],
)  # fmt: skip
def test_what_cannot_be_mended_is_told_apart(vendor: Vendor, status: int, code: str | None, concerns_all: bool) -> None:
    with pytest.raises(ModelRefused, match=f"HTTP {status}") as failure:
        ask(vendor, status, json={"error": {"message": "no", "code": code}})

    assert failure.value.concerns_all is concerns_all


def test_a_quota_that_is_used_up_is_no_rate_limit() -> None:
    with pytest.raises(ModelRefused, match="Pay the vendor") as failure:
        ask("openai", 429, json={"error": {"message": "no", "code": "insufficient_quota"}})

    assert failure.value.concerns_all


@pytest.mark.parametrize(
    ("vendor", "body"),
    [("openai", {}), ("openai", {"choices": []}), ("openai", {"choices": [{"message": {"content": None}}]}), ("openai", []),
     ("openai", {"choices": [7], "usage": 7}), ("openai", {"choices": [{"message": {"content": ["x"]}}]}),
     ("openai", {"usage": {"prompt_tokens": -5, "completion_tokens": "many"}}), ("anthropic", {}), ("anthropic", []),
     ("anthropic", {"content": [], "usage": {"input_tokens": -5, "output_tokens": True}}),
     ("anthropic", {"content": ["x"]}), ("anthropic", {"content": 7}),
     ("anthropic", {"content": [{"type": "thinking", "thinking": "…"}]})],
)  # fmt: skip
def test_an_answer_of_any_shape_is_an_answer(vendor: Vendor, body: Any) -> None:
    answer = ask(vendor, 200, json=body)

    assert (answer.text, answer.prompt_tokens, answer.completion_tokens) == (None, None, None)


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_body_that_is_not_json_may_have_been_charged(vendor: Vendor) -> None:
    with pytest.raises(ModelBusy) as failure:
        ask(vendor, 200, headers={"content-type": "application/json"}, text="{half")

    assert failure.value.may_be_charged


@pytest.mark.parametrize("vendor", VENDORS)
def test_both_vendors_answer_in_the_schema_with_usage_and_limits(vendor: Vendor, sandbox_model: RunningModel) -> None:
    async def work() -> Answer:
        if vendor == "openai":
            async with AsyncOpenAI(api_key=sandbox_model.api_key, base_url=sandbox_model.url) as openai:
                return await OpenAIModel(openai, "sandbox-writer-1-mini", timeout_seconds=5).ask(
                    MESSAGES, FORMAT, PARAMETERS
                )
        async with AsyncAnthropic(api_key=sandbox_model.api_key, base_url=sandbox_model.root) as anthropic:
            return await AnthropicModel(anthropic, SECOND_MODEL, timeout_seconds=5).ask(MESSAGES, FORMAT, PARAMETERS)

    answer = asyncio.run(work())

    assert list(json.loads(answer.text or "")) == ["text"]
    assert answer.prompt_tokens
    assert answer.completion_tokens
    assert answer.allowances is not None
    assert isinstance(answer.allowances.requests, Allowance)
    assert isinstance(answer.allowances.tokens, Allowance)


def test_a_count_of_tokens_that_cannot_be_is_none() -> None:
    usage = {"prompt_tokens": 3_000_000_000, "completion_tokens": 10_000_001}

    answer = ask("openai", 200, json={"usage": usage})

    assert (answer.prompt_tokens, answer.completion_tokens) == (None, None)


def test_a_client_without_a_key_refuses_everything_and_says_what_to_check(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"):
        monkeypatch.delenv(name, raising=False)

    async def work() -> None:
        async with AsyncAnthropic(api_key=None, base_url="http://127.0.0.1:9") as client:
            await AnthropicModel(client, "m", timeout_seconds=5).ask(MESSAGES, FORMAT, PARAMETERS)

    with pytest.raises(ModelRefused, match=r"nothing was sent.*Check the connection's password") as failure:
        asyncio.run(work())

    assert failure.value.concerns_all
