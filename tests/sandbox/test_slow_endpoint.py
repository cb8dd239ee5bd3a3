"""The endpoint that benchmarks measure clients against."""

import json

import httpx
import pytest

from benchmarks import slow_endpoint
from sandbox.model import protocol
from sandbox.model.writer import write

REQUEST = {"template": "t", "context": {"industry": "retail"}, "facts": [], "placeholders": [], "limits": {}}


@pytest.mark.slow
def test_it_answers_what_the_sandbox_writer_would_and_the_same_again() -> None:
    body = json.dumps({"model": protocol.MODEL_ID, "messages": [
        {"role": "user", "content": f"<request>\n{json.dumps(REQUEST)}\n</request>"}]})  # fmt: skip

    with slow_endpoint.running(latency_ms=1) as root:
        first, again = (httpx.post(f"{root}/v1/chat/completions", content=body).json() for _ in range(2))
        count = httpx.get(root).json()

    assert first["choices"][0]["message"]["content"] == json.dumps(write(protocol.parse(body.encode())), ensure_ascii=False)
    assert (again, count) == (first, {"answered": 2})
