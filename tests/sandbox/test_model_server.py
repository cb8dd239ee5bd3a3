"""The model server as the `openai` client sees it."""

import asyncio
import json
from typing import Any

import httpx
import openai
import psycopg
import pytest

from sandbox.model import RunningModel

pytestmark = pytest.mark.slow  # a server over HTTP for each

MODEL = "sandbox-writer-1"
SCHEMA = {
    "type": "object",
    "properties": {
        "headline": {"type": "string"},
        "body": {"type": "string"},
        "cta": {"type": "string"},
        "cited_fact_ids": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["headline", "body", "cta", "cited_fact_ids"],
    "additionalProperties": False,
}
ASKED = {
    "template": "lead_nurture@v1",
    "context": {"persona": "warehouse_lead", "industry": "retail", "pain_point": "stock_errors", "lifecycle_stage": "lead",
                "recent_product": "Larkfield Count", "trigger_event": "form_submit"},
    "facts": [{"id": "count-price", "text": "Larkfield Count costs $49 per month."}],
    "placeholders": ["first_name"],
    "limits": {"body_words": 120},
}  # fmt: skip


def request(asked: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """Arguments of `chat.completions.create`."""
    messages = [
        {"role": "system", "content": "You write e-mails from facts."},
        {"role": "user", "content": f"Write.\n<request>\n{json.dumps(asked or ASKED)}\n</request>\nAnswer in JSON."},
    ]
    wanted = {"type": "json_schema", "json_schema": {"name": "copy", "strict": True, "schema": SCHEMA}}
    return {"model": MODEL, "messages": messages, "response_format": wanted, **more}


def answered(client: openai.OpenAI, **more: Any) -> str:
    return client.chat.completions.create(**request(**more)).choices[0].message.content or ""


def test_the_model_says_that_it_is_a_sandbox_writer_and_not_ai(client: openai.OpenAI) -> None:
    models = client.models.list().data

    assert [card.id for card in models] == [MODEL, f"{MODEL}-mini"]
    assert {card.owned_by for card in models} == {"sandbox writer, not AI"}


def test_the_client_gets_copy_in_the_schema_with_usage_and_rate_headers(client: openai.OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(**request(temperature=0.2, seed=7, max_completion_tokens=500))
    answer = raw.parse()

    copy = json.loads(answer.choices[0].message.content or "")
    assert set(copy) == set(SCHEMA["properties"])
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage and answer.usage.completion_tokens == -(-len(answer.choices[0].message.content or "") // 4)
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert answer.system_fingerprint == "fp_sandbox_writer_1"
    # Refilled within a millisecond: on a busy machine nothing seems taken.
    assert 0 <= int(raw.headers["x-ratelimit-remaining-requests"]) <= int(raw.headers["x-ratelimit-limit-requests"])


def test_the_same_request_gives_the_same_bytes_also_to_the_asynchronous_client(
    client: openai.OpenAI, model: RunningModel
) -> None:
    async def ask() -> str:
        async with openai.AsyncOpenAI(base_url=model.url, api_key=model.api_key) as asynchronous:
            answer = await asynchronous.chat.completions.create(**request())
            return answer.choices[0].message.content or ""

    first, second = answered(client), asyncio.run(ask())

    assert first == second


def test_another_seed_gives_other_copy(client: openai.OpenAI) -> None:
    bodies = {json.loads(answered(client, seed=seed))["body"] for seed in range(8)}

    assert len(bodies) >= 5


def test_an_answer_longer_than_max_tokens_is_cut_and_says_so(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(**request(max_tokens=10))

    assert answer.choices[0].finish_reason == "length"
    assert answer.usage and answer.usage.completion_tokens == 10


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"model": "gpt-4o-mini"}, openai.NotFoundError, "does not exist"),
        ({"messages": []}, openai.BadRequestError, "non-empty"),
        ({"temperature": 3}, openai.BadRequestError, "temperature"),
        ({"stream": True}, openai.BadRequestError, "stream"),
        (
            {"response_format": {"type": "json_schema", "json_schema": {
                "name": "x", "strict": True, "schema": {**SCHEMA, "required": ["headline"]}}}},
            openai.BadRequestError, "Missing 'body'",
        ),
    ],
)  # fmt: skip
def test_a_wrong_request_is_refused_as_the_real_endpoint_does(
    client: openai.OpenAI, change: dict[str, Any], error: type[openai.APIStatusError], words: str
) -> None:
    with pytest.raises(error, match=words):
        client.chat.completions.create(**(request() | change))


def test_a_wrong_key_is_401(model: RunningModel) -> None:
    client = openai.OpenAI(base_url=model.url, api_key="wrong", max_retries=0)

    with client, pytest.raises(openai.AuthenticationError) as caught:
        client.models.list()

    assert caught.value.code == "invalid_api_key"


def test_a_schema_that_the_writer_does_not_know_is_filled_all_the_same(client: openai.OpenAI) -> None:
    schema = {
        "type": "object",
        "properties": {
            "score": {"type": "integer", "minimum": 3, "maximum": 4},
            "label": {"enum": ["low", "high"]},
            "notes": {"type": "array", "items": {"$ref": "#/$defs/note"}},
            "maybe": {"type": ["string", "null"]},
        },
        "required": ["score", "label", "notes", "maybe"],
        "additionalProperties": False,
        "$defs": {"note": {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"],
                           "additionalProperties": False}},
    }  # fmt: skip

    wanted = {"type": "json_schema", "json_schema": {"name": "score", "strict": True, "schema": schema}}
    answer = json.loads(
        client.chat.completions.create(**(request() | {"response_format": wanted})).choices[0].message.content
    )

    assert answer["score"] in (3, 4) and answer["label"] in ("low", "high")
    assert answer["notes"][0]["text"] and isinstance(answer["maybe"], str)


def test_every_prompt_is_kept_where_a_test_can_search_it(client: openai.OpenAI, model_database_url: str) -> None:
    answered(client)

    with psycopg.connect(model_database_url) as connection:
        row = connection.execute("SELECT model, prompt, answer, status, prompt_tokens FROM model.requests").fetchone()
    assert row is not None
    assert row[0] == MODEL and "warehouse_lead" in row[1] and "[system]" in row[1] and "$49" in row[2]
    assert row[3] == 200 and row[4] > 100


@pytest.mark.parametrize(
    ("mode", "found"),
    [
        ("invented_price", "$19.99"),
        ("invented_percentage", "83%"),
        ("unknown_fact_id", "fact-nobody-supplied"),
        ("markup", "<script>"),
        ("jinja", "{{ 7*7 }}"),
        ("undeclared_placeholder", "{account_owner_phone}"),
        ("flagged_claim", "personal discount"),
        ("instructions_leak", "You write e-mails from facts."),
        ("wrong_shape", "paragraphs"),
        ("invented_discount", "fifteen percent off"),
        ("invented_customer", "Nordhaven Logistics"),
        ("invented_certification", "ISO 27001"),
        ("invented_date", "31 March"),
        ("others_product", "Stackhound"),
        ("other_language", "Wir freuen uns"),
        ("wrong_marker", "weighs and wraps"),
    ],
)
def test_a_rule_spoils_the_answer_once_and_then_rests(
    client: openai.OpenAI, model: RunningModel, mode: str, found: str
) -> None:
    good = answered(client)
    model.misbehave(mode, times=1)

    spoilt, after = answered(client), answered(client)

    assert found in spoilt and found not in good
    json.loads(spoilt)
    assert after == good


def test_answers_can_be_empty_or_no_json_or_far_too_long(client: openai.OpenAI, model: RunningModel) -> None:
    good = answered(client)
    for mode in ("empty", "not_json", "broken_json", "ten_times_too_long", "endless_text"):
        model.misbehave(mode, times=1)
        if mode == "empty":
            assert answered(client) == ""
        elif mode == "endless_text":
            assert len(json.loads(answered(client))["body"]) > 50_000
        elif mode == "broken_json":
            with pytest.raises(ValueError, match=r"(?i)unterminated|delimiter"):
                json.loads(answered(client))
        elif mode == "not_json":
            with pytest.raises(ValueError, match="Expecting value"):
                json.loads(answered(client))
        else:
            assert len(json.loads(answered(client))["body"]) > 9 * len(json.loads(good)["body"])


def test_the_server_can_refuse_fail_or_hang_up(client: openai.OpenAI, model: RunningModel) -> None:
    model.misbehave("rate_limited", times=1, retry_after_seconds=2)
    with pytest.raises(openai.RateLimitError) as limited:
        answered(client)
    model.misbehave("rate_limited", times=1)
    with pytest.raises(openai.RateLimitError) as unhelpful:
        answered(client)
    model.misbehave("server_error", times=1)
    with pytest.raises(openai.InternalServerError):
        answered(client)
    model.misbehave("closed_connection", times=1)
    with pytest.raises(openai.APIConnectionError):
        answered(client)

    assert limited.value.response.headers["retry-after"] == "2.000"
    assert "retry-after" not in unhelpful.value.response.headers
    assert model.admin("requests")["by_status"] == {"0": 1, "429": 2, "500": 1}


def test_a_slow_answer_outlasts_an_impatient_client(model: RunningModel) -> None:
    model.misbehave("slow", times=1, delay_seconds=5)

    impatient = openai.OpenAI(base_url=model.url, api_key=model.api_key, max_retries=0, timeout=0.2)

    with impatient, pytest.raises(openai.APITimeoutError):
        answered(impatient)


def test_a_rule_with_a_probability_strikes_the_same_requests_every_time(client: openai.OpenAI, model: RunningModel) -> None:
    def struck() -> list[bool]:
        model.admin("reset", {})
        model.misbehave("empty", probability=0.3, seed=5)
        return [answered(client, seed=seed) == "" for seed in range(40)]

    first, second = struck(), struck()

    assert first == second
    assert 4 <= sum(first) <= 22


def test_too_many_requests_a_minute_are_turned_away_until_the_allowance_refills(
    client: openai.OpenAI, model: RunningModel
) -> None:
    model.admin("limits", {"requests_per_minute": 3})

    for _ in range(3):
        answered(client)
    with pytest.raises(openai.RateLimitError) as caught:
        answered(client)

    assert 0 < float(caught.value.response.headers["retry-after"]) <= 20
    assert caught.value.response.headers["x-ratelimit-remaining-requests"] == "0"


def test_an_unknown_mode_and_a_stranger_at_the_admin_door_are_refused(model: RunningModel) -> None:
    stranger = httpx.get(f"{model.root}/__admin__/requests")
    with pytest.raises(RuntimeError, match="answered 422"):
        model.misbehave("nonsense")

    assert stranger.status_code == 403
