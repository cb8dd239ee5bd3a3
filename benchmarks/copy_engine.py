"""The engine against an endpoint that answers after 300 ms: requests a second as a share of the ideal.

`python -m benchmarks.copy_engine` starts a PostgreSQL and `benchmarks.slow_endpoint`, each a process of its own, and sends
the same requests through raw aiohttp (what the endpoint and the machine allow), through the `openai` client with either
transport, and through `write_copy`, which reserves money, judges and stores every answer. Ideal: requests in flight ÷ 0.3 s.
The shares hold the whole way: connections to be opened, and the engine's slow start.
"""

import asyncio
import itertools
import resource
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import aiohttp
import psycopg

from benchmarks import slow_endpoint
from benchmarks.copy_night import CAMPAIGN, FALLBACK, TEMPLATE, contexts, generous_policy, invite, warehouse
from nurture.copywriting.copy_plan import plan_copy
from nurture.copywriting.engine import Wanted, write_copy
from nurture.copywriting.guardrails import judge
from nurture.copywriting.openai_model import OpenAIModel
from nurture.copywriting.pieces import Piece
from nurture.copywriting.requests import CopyRequest
from nurture.copywriting.store import Run
from sandbox.model.protocol import MODEL_ID

LATENCY_MS = 300
IN_FLIGHT = (50, 256)
WAVES = 32  # requests = in flight × waves; the ideal then takes 9.6 s
DAY = date(2026, 11, 21)
KEY = "sandbox-model-key"
DEADLINE = 60  # seconds that one request may take

Send = Callable[[Sequence[CopyRequest], int], Awaitable[int]]


@dataclass(frozen=True)
class Way:
    """One way to send requests; a slow one is given fewer of them."""

    name: str
    send: Send
    waves: int = WAVES


def main() -> None:
    """Measure and print."""
    with warehouse() as connection, slow_endpoint.running(latency_ms=LATENCY_MS) as root:
        asyncio.run(_measure(connection, root))


async def _measure(connection: psycopg.Connection, root: str) -> None:
    fresh = _fresh_requests(connection)
    await _raw(root)(list(itertools.islice(fresh, 144)), 24)  # the endpoint now has every answer in memory
    ways = (
        Way("raw aiohttp", _raw(root)),
        Way("openai client, its default transport", _client(root, "httpx"), waves=6),
        Way("openai client, aiohttp transport", _client(root, "aiohttp")),
        Way("our adapter on it, aiohttp transport", _adapter(root)),
        Way("write_copy, default transport", _engine(connection, root, "httpx"), waves=6),
        Way("write_copy, aiohttp transport (ours)", _engine(connection, root, "aiohttp")),
    )
    for in_flight in IN_FLIGHT:
        ideal = in_flight / (LATENCY_MS / 1000)
        print(f"{in_flight} in flight, ideal {ideal:,.0f} requests/s", flush=True)
        for way in ways:
            requests = list(itertools.islice(fresh, in_flight * way.waves))
            began, cpu = time.perf_counter(), _cpu_seconds()
            answered = await way.send(requests, in_flight)
            seconds, busy = time.perf_counter() - began, _cpu_seconds() - cpu
            lost = f", {len(requests) - answered} without an answer" if answered < len(requests) else ""
            print(f"  {way.name:<38} {answered / seconds:6.0f} requests/s  {answered / seconds / ideal:.2f} of the ideal  "
                  f"{1000 * busy / len(requests):.1f} ms of this process's CPU a request{lost}", flush=True)  # fmt: skip

    print(f"of which the guardrails: {1000 * _judging_seconds(connection, requests):.1f} ms of a core a piece")


def _judging_seconds(connection: psycopg.Connection, requests: Sequence[CopyRequest]) -> float:
    """CPU seconds that judging one piece takes, over what `requests` were answered."""
    terms = {request.request_hash: request.terms for request in requests}
    rows = connection.execute(
        "SELECT request_hash, output FROM ops.copy WHERE request_hash = ANY(%s) LIMIT 1000", (list(terms),)
    ).fetchall()
    pieces = [(Piece.from_stored(output), terms[request_hash]) for request_hash, output in rows]
    began = time.process_time()
    for piece, offered in pieces:
        judge(piece, offered)
    return (time.process_time() - began) / len(pieces)


def _fresh_requests(connection: psycopg.Connection) -> Iterator[CopyRequest]:
    """Requests without end, each with a hash of its own, over the prompts of the template."""
    invite(connection, DAY, contexts(4_000, last_day=DAY))
    plan = plan_copy(connection, Run("bench", "plan", CAMPAIGN), DAY.isoformat(), template=TEMPLATE,
                     fallback_template=FALLBACK, models=[MODEL_ID])  # fmt: skip
    for number, (request,) in enumerate(itertools.cycle(plan.missing)):
        yield replace(request, template_hash=f"{number:064x}")


def _raw(root: str) -> Send:
    async def send(requests: Sequence[CopyRequest], in_flight: int) -> int:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

            async def ask(request: CopyRequest) -> None:
                body = {"model": MODEL_ID, "messages": request.messages, "response_format": request.response_format}
                async with session.post(f"{root}/v1/chat/completions", json=body | request.parameters) as response:
                    await response.json()

            return await _many(requests, in_flight, ask)

    return send


def _client(root: str, transport: str) -> Send:
    async def send(requests: Sequence[CopyRequest], in_flight: int) -> int:
        async with _openai(root, transport) as client:
            create: Any = client.chat.completions.create

            async def ask(asked: CopyRequest) -> None:
                await create(
                    model=MODEL_ID, messages=asked.messages, response_format=asked.response_format, **asked.parameters
                )

            return await _many(requests, in_flight, ask)

    return send


def _adapter(root: str) -> Send:
    async def send(requests: Sequence[CopyRequest], in_flight: int) -> int:
        async with _openai(root, "aiohttp") as client:
            model = OpenAIModel(client, MODEL_ID, timeout_seconds=DEADLINE)
            return await _many(
                requests, in_flight, lambda asked: model.ask(asked.messages, asked.response_format, asked.parameters)
            )

    return send


def _engine(connection: psycopg.Connection, root: str, transport: str) -> Send:
    async def send(requests: Sequence[CopyRequest], in_flight: int) -> int:
        policy = generous_policy(max_concurrency=in_flight, timeout_seconds=DEADLINE)
        wanted: list[Wanted] = [(request,) for request in requests]
        async with _openai(root, transport) as client:
            model = OpenAIModel(client, MODEL_ID, timeout_seconds=policy.timeout_seconds)
            run = Run("bench", f"{transport}_{in_flight}", CAMPAIGN)
            return len((await write_copy(connection, run, wanted, [model], policy)).copies)

    return send


def _openai(root: str, transport: str) -> Any:
    from openai import AsyncOpenAI, DefaultAioHttpClient

    options = {"http_client": DefaultAioHttpClient()} if transport == "aiohttp" else {}
    return AsyncOpenAI(api_key=KEY, base_url=f"{root}/v1", timeout=DEADLINE, max_retries=0, **options)


async def _many(requests: Sequence[CopyRequest], in_flight: int, ask: Callable[[CopyRequest], Awaitable[Any]]) -> int:
    """Ask for all, so many at a time; returns how many were answered."""
    waiting, answered = iter(requests), 0

    async def work() -> None:
        nonlocal answered
        for request in waiting:
            try:
                await ask(request)
            except Exception as error:  # counted, and the first is shown
                if answered == 0:
                    print(f"    {type(error).__name__}: {str(error)[:200]}")
            else:
                answered += 1

    await asyncio.gather(*(work() for _ in range(in_flight)))
    return answered


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
