"""The model server as the `anthropic` client sees it."""

import json
from collections.abc import Iterator
from typing import Any

import anthropic
import pytest
from test_model_server import ASKED, SCHEMA

from sandbox.model import RunningModel

pytestmark = pytest.mark.slow  # a server over HTTP for each

MODEL = "sandbox-scribe-1"


@pytest.fixture
def client(model: RunningModel) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=model.root, api_key=model.api_key, max_retries=0) as client:
        yield client


def request(**more: Any) -> dict[str, Any]:
    """Arguments of `messages.create`."""
    user = {"role": "user", "content": f"Write.\n<request>\n{json.dumps(ASKED)}\n</request>\nAnswer in JSON."}
    wanted = {"format": {"type": "json_schema", "schema": SCHEMA}}
    return {"model": MODEL, "max_tokens": 500, "system": "You write.", "messages": [user], "output_config": wanted, **more}


def test_the_client_gets_copy_in_the_schema_with_usage_and_rate_headers(client: anthropic.Anthropic) -> None:
    raw = client.messages.with_raw_response.create(**request())
    answer = raw.parse()

    block = answer.content[0]
    assert block.type == "text"
    assert set(json.loads(block.text)) == set(SCHEMA["properties"])
    assert (answer.stop_reason, answer.model, answer.usage.output_tokens) == ("end_turn", MODEL, -(-len(block.text) // 4))
    assert answer.usage.input_tokens > 0
    assert (
        0
        <= int(raw.headers["anthropic-ratelimit-requests-remaining"])
        <= int(raw.headers["anthropic-ratelimit-requests-limit"])
    )
    assert raw.headers["anthropic-ratelimit-tokens-reset"].endswith("Z")


def test_an_answer_longer_than_max_tokens_is_cut_and_says_so(client: anthropic.Anthropic) -> None:
    answer = client.messages.create(**request(max_tokens=10))

    assert (answer.stop_reason, answer.usage.output_tokens) == ("max_tokens", 10)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"model": "sandbox-writer-1"}, "not_found_error"),
        ({"messages": [{"role": "system", "content": "x"}]}, "top-level `system`"),
        ({"extra_body": {"temperature": 0}}, "temperature: Extra inputs are not permitted"),
        ({"output_config": {"format": {"type": "json_schema", "schema": {"type": "object", "properties": {}}}}},
         "additionalProperties"),
    ],
)  # fmt: skip
def test_what_the_api_does_not_take_is_refused_in_its_words(
    client: anthropic.Anthropic, wrong: dict[str, Any], said: str
) -> None:
    with pytest.raises(anthropic.APIStatusError) as refusal:
        client.messages.create(**request(**wrong))

    assert refusal.value.status_code in (400, 404)
    assert said in str(refusal.value.body)


def test_a_wrong_key_a_limit_and_a_failure_come_as_the_clients_own_errors(
    client: anthropic.Anthropic, model: RunningModel
) -> None:
    with pytest.raises(anthropic.AuthenticationError):
        client.with_options(api_key="wrong").messages.create(**request())
    model.misbehave("rate_limited", times=1, retry_after_seconds=2)
    with pytest.raises(anthropic.RateLimitError) as limited:
        client.messages.create(**request())
    model.misbehave("server_error", times=1)
    with pytest.raises(anthropic.InternalServerError):
        client.messages.create(**request())

    assert limited.value.type == "rate_limit_error"
    assert limited.value.response.headers["retry-after"] == "2.000"
    assert "anthropic-ratelimit-requests-limit" in limited.value.response.headers
