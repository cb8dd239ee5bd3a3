"""The adapter over the `openai` client, and the operator over both, through Airflow connections."""

import asyncio
import json
import logging
from collections.abc import Callable
from types import SimpleNamespace
from urllib.parse import urlsplit

import httpx
import pytest
from copy_night import CAMPAIGN, DAY, FALLBACK, TEMPLATE, Night
from openai import AsyncOpenAI

from nurture.copywriting.chat_model import Answer, ModelBusy, ModelRefused
from nurture.copywriting.openai_model import OpenAIModel
from nurture.errors import ConfigError

MESSAGES = [{"role": "user", "content": "Hello"}]


def ask(response: httpx.Response) -> Answer:
    """What the adapter makes of one HTTP answer that no sandbox gives."""

    async def work() -> Answer:
        transport = httpx.MockTransport(lambda _: response)
        async with AsyncOpenAI(
            api_key="k", base_url="http://endpoint.example/v1", http_client=httpx.AsyncClient(transport=transport)
        ) as client:
            return await OpenAIModel(client, "m", timeout_seconds=5).ask(MESSAGES, {"type": "text"}, {})

    return asyncio.run(work())


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({"retry-after": "7"}, 7.0), ({"retry-after-ms": "1500"}, 1.5), ({"retry-after": "soon"}, None), ({}, None),
     ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0)],
)  # fmt: skip
def test_the_wait_asked_for_is_read_in_every_form(headers: dict[str, str], seconds: float | None) -> None:
    with pytest.raises(ModelBusy) as failure:
        ask(httpx.Response(429, headers=headers, json={"error": {"message": "slow down"}}))

    assert failure.value.status == "rate_limited"
    assert failure.value.retry_after_seconds == seconds


@pytest.mark.parametrize(
    ("status", "code", "concerns_all"),
    [(400, None, False), (422, None, False), (401, None, True), (403, None, True), (404, None, True),
     (429, "insufficient_quota", True)],
)  # fmt: skip
def test_what_cannot_be_mended_is_told_apart(status: int, code: str | None, concerns_all: bool) -> None:
    with pytest.raises(ModelRefused, match=f"HTTP {status}") as failure:
        ask(httpx.Response(status, json={"error": {"message": "no", "code": code}}))

    assert failure.value.concerns_all is concerns_all


@pytest.mark.parametrize("body", [{}, {"choices": []}, {"choices": [{"message": {"content": None, "role": "assistant"}}]}])
def test_an_answer_without_text_or_usage_is_an_answer(body: dict[str, object]) -> None:
    assert ask(httpx.Response(200, json=body)) == Answer(None, None, None)


def test_a_body_that_is_not_json_may_have_been_charged() -> None:
    with pytest.raises(ModelBusy) as failure:
        ask(httpx.Response(200, headers={"content-type": "application/json"}, text="{half"))

    assert failure.value.may_be_charged


@pytest.fixture
def connections(night: Night, warehouse_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    url = urlsplit(warehouse_url)
    warehouse = {"conn_type": "postgres", "host": url.hostname, "port": url.port, "login": url.username,
                 "schema": url.path[1:]}  # fmt: skip
    llm = {"conn_type": "openai", "host": night.server.url, "password": night.server.api_key,
           "extra": {"model": "sandbox-writer-1"}}  # fmt: skip
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps(warehouse))
    monkeypatch.setenv("AIRFLOW_CONN_LLM", json.dumps(llm))


@pytest.mark.airflow
def test_the_operator_writes_messages_and_tells_only_counts(
    night: Night,
    invite: Callable[..., None],
    connections: None,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    from nurture.operators.generate_copy import GenerateCopyOperator

    invite({"industry": "retail", "first_name": "Zelda"}, people=2)
    invite({"industry": "healthcare"}, arm="static")
    operator = GenerateCopyOperator(
        task_id="generate_copy", campaign=CAMPAIGN, template=TEMPLATE, fallback_template=FALLBACK, day=DAY
    )
    context = {"dag": SimpleNamespace(dag_id=CAMPAIGN), "run_id": "manual__1"}

    with caplog.at_level(logging.DEBUG, logger="nurture"):  # where Airflow sends it depends on what ran before
        counts = operator.execute(context)  # type: ignore[arg-type]

    said = caplog.text + "".join(capsys.readouterr())
    json.dumps(counts)
    assert (counts["audience"], counts["contexts"], counts["model_calls"], counts["static"]) == (3, 1, 1, 1)
    assert night.rows("SELECT dag_id, run_id FROM ops.llm_call") == [(CAMPAIGN, "manual__1")]
    assert night.rows("SELECT count(*) FROM ops.message") == [(3,)]
    assert "3 people, 1 distinct contexts" in said
    assert "Zelda" not in said


@pytest.mark.airflow
def test_a_connection_without_a_model_says_what_to_add(monkeypatch: pytest.MonkeyPatch) -> None:
    from nurture.hooks.llm import LlmHook

    monkeypatch.setenv("AIRFLOW_CONN_LLM", json.dumps({"conn_type": "openai", "host": "http://127.0.0.1:9/v1"}))

    async def work() -> None:
        async with LlmHook("llm").model(timeout_seconds=1):
            pass

    with pytest.raises(ConfigError, match="'llm' names no model; put"):
        asyncio.run(work())
