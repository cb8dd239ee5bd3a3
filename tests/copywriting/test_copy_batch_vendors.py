"""What the adapters make of answers that no sandbox gives."""

import asyncio
import json
from typing import Any

import httpx
from openai import AsyncOpenAI

from nurture.copywriting.batches.openai_batch import OpenAIBatches
from nurture.copywriting.batches.vendor import Progress, Result
from nurture.copywriting.chat_model import Answer

BATCH = {"id": "batch_1", "object": "batch", "status": "completed", "created_at": 0, "endpoint": "/v1/chat/completions",
         "completion_window": "24h", "input_file_id": "file-1", "output_file_id": "out"}  # fmt: skip


def over(batch: dict[str, Any], *lines: dict[str, Any]) -> httpx.MockTransport:
    content = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines)
    return httpx.MockTransport(
        lambda request: (
            httpx.Response(200, text=content) if "/files/" in request.url.path else httpx.Response(200, json=batch)
        )
    )


def seen(transport: httpx.MockTransport) -> tuple[Progress, list[Result]]:
    async def work() -> tuple[Progress, list[Result]]:
        async with AsyncOpenAI(
            api_key="k", base_url="http://vendor.example/v1", http_client=httpx.AsyncClient(transport=transport)
        ) as client:
            vendor = OpenAIBatches(client, "m")
            return await vendor.progress("batch_1"), [result async for result in vendor.results("batch_1")]

    return asyncio.run(work())


def test_a_line_ends_at_a_line_feed_and_at_no_other_sign() -> None:
    text = "One.\u2028Two.\u0085Three."
    body = {"choices": [{"message": {"content": text}}], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}
    good = {"custom_id": "a", "response": {"status_code": 200, "body": body}, "error": None}

    _, results = seen(over(BATCH, good, good | {"custom_id": "b"}))

    assert results == [Result(name, "ok", Answer(text, 3, 2)) for name in "ab"]


def test_what_went_wrong_with_a_request_is_told_apart() -> None:
    lines = [
        {"custom_id": "a", "response": {"status_code": 429, "body": {"error": {"message": "slow"}}}, "error": None},
        {"custom_id": "b", "response": {"status_code": 400, "body": {}}, "error": None},
        {"custom_id": "c", "response": None, "error": {"code": "batch_expired", "message": "late"}},
        {"custom_id": "d", "response": None, "error": {"code": "unheard_of"}},
        {"custom_id": "e", "response": {"status_code": 200, "body": {}}, "error": None},
    ]

    _, results = seen(over(BATCH, *lines))

    assert [result.status for result in results] == ["server_error", "bad_request", "expired", "server_error", "ok"]
    assert results[-1].answer == Answer(None, None, None)


def test_a_status_that_nobody_has_heard_of_is_waited_for() -> None:
    progress, _ = seen(over(BATCH | {"status": "pondering"}))

    assert progress == Progress()
