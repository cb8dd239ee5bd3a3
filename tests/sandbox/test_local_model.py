"""The server around a real small model, with a stand-in for its weights: nothing is loaded, everything else is real."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from openai import AsyncOpenAI

from demo.postgres import free_port
from nurture.copywriting.chat_model import Answer, ModelRefused
from nurture.copywriting.openai_model import OpenAIModel
from sandbox.local_model.app import API_KEY, create_app

SCHEMA = {"type": "object", "properties": {"headline": {"type": "string"}}, "required": ["headline"]}
FORMAT = {"type": "json_schema", "json_schema": {"name": "copy", "strict": True, "schema": SCHEMA}}
PARAMETERS = {"temperature": 0, "seed": 7, "max_completion_tokens": 50}


class StandIn:
    """What `llama_cpp.Llama` would be asked, and an answer in its form."""

    def __init__(self) -> None:
        self.asked: list[tuple[list[dict[str, str]], dict[str, Any]]] = []

    def create_chat_completion(self, messages: list[dict[str, str]], **options: Any) -> dict[str, Any]:
        self.asked.append((messages, options))
        if len(messages[0]["content"]) > 1_000:
            raise ValueError("Requested tokens (9000) exceed context window of 8192")
        message = {"role": "assistant", "content": json.dumps({"headline": "Warehouse"})}
        return {
            "id": "chatcmpl-1", "object": "chat.completion", "created": 0, "model": "/weights.gguf",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
            "usage": {"prompt_tokens": 12, "completion_tokens": 8, "total_tokens": 20},
        }  # fmt: skip


@pytest.fixture(scope="module")
def stand_in() -> StandIn:
    return StandIn()


@pytest.fixture(scope="module")
def url(stand_in: StandIn) -> Iterator[str]:
    port = free_port()
    app = create_app(stand_in, "small", repeat_penalty=1.15)
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="critical"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{port}/v1"
    server.should_exit = True
    thread.join()


def ask(url: str, text: str = "Write.", *, model: str = "small", **more: Any) -> Answer:
    async def work() -> Answer:
        async with AsyncOpenAI(api_key=API_KEY, base_url=url) as client:
            messages = [{"role": "user", "content": text}]
            return await OpenAIModel(client, model, timeout_seconds=20).ask(messages, FORMAT, PARAMETERS | more)

    return asyncio.run(work())


def test_our_own_adapter_talks_to_it_unchanged_and_the_schema_arrives_as_a_grammar(url: str, stand_in: StandIn) -> None:
    answer = ask(url)

    messages, options = stand_in.asked[-1]
    assert (answer.text, answer.prompt_tokens, answer.completion_tokens) == ('{"headline": "Warehouse"}', 12, 8)
    assert messages == [{"role": "user", "content": "Write."}]
    assert options == {"response_format": {"type": "json_object", "schema": SCHEMA}, "max_tokens": 50, "temperature": 0,
                       "seed": 7, "repeat_penalty": 1.15}  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "said", "concerns_all"),
    [({"model": "other"}, "does not exist", True), ({"text": "x" * 2_000}, "context window", False),
     ({"logit_bias": {}}, "logit_bias", False)],
)  # fmt: skip
def test_what_it_cannot_do_is_refused_and_never_ignored(
    url: str, asked: dict[str, Any], said: str, concerns_all: bool
) -> None:
    with pytest.raises(ModelRefused, match=said) as refused:
        ask(url, **asked)

    assert refused.value.concerns_all is concerns_all
