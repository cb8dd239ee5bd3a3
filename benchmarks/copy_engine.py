"""The engine against an endpoint that answers after 300 ms: requests a second as a share of the ideal.

`python -m benchmarks.copy_engine [--latency-ms 300] [--in-flight 50 256] [--waves 32]` starts a PostgreSQL and
`benchmarks.slow_endpoint`, each a process of its own, and sends the same requests through raw aiohttp (what the endpoint and
the machine allow), through the `openai` client with either transport, and through `write_copy`, which reserves money, judges
and stores every answer. Ideal: requests in flight ÷ latency. Each share is given twice: of the whole way, with connections
to be opened, the engine's slow start and its last commit, and steady, from the first quarter of the answers to the third;
an answer counts when it is there, for `write_copy` when it is judged and stored.
"""

import argparse
import asyncio
import itertools
import resource
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import aiohttp
import psycopg

from benchmarks import slow_endpoint
from benchmarks.copy_night import CAMPAIGN, FALLBACK, TEMPLATE, contexts, generous_policy, invite
from benchmarks.scratch_warehouse import warehouse
from nurture.copywriting.copy_plan import plan_copy
from nurture.copywriting.engine import Wanted, write_copy
from nurture.copywriting.guardrails import judge
from nurture.copywriting.openai_model import OpenAIModel
from nurture.copywriting.pieces import Piece
from nurture.copywriting.requests import CopyRequest
from nurture.copywriting.store import Run
from sandbox.model.protocol import MODEL_ID

WAVES = 32  # requests = in flight × waves; at 300 ms the ideal then takes 9.6 s
SLOW_WAYS_WAVES = 6
DAY = date(2026, 11, 21)
KEY = "sandbox-model-key"
DEADLINE = 60  # seconds that one request may take

Send = Callable[[Sequence[CopyRequest], int, list[float]], Awaitable[None]]
"""Requests, how many in flight, and a list to which each answer adds when it came, in seconds of any clock."""


@dataclass(frozen=True)
class Way:
    """One way to send requests; a slow one is given fewer of them."""

    name: str
    send: Send
    most_waves: int = sys.maxsize


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--latency-ms", type=float, default=300)
    parser.add_argument("--in-flight", type=int, nargs="+", default=(50, 256))
    parser.add_argument("--waves", type=int, default=WAVES, help="requests for each in flight")
    given = parser.parse_args()
    with warehouse() as connection, slow_endpoint.running(latency_ms=given.latency_ms) as root:
        asyncio.run(_measure(connection, root, given))


async def _measure(connection: psycopg.Connection, root: str, given: argparse.Namespace) -> None:
    fresh = _fresh_requests(connection)
    # The endpoint then has every answer in memory, and this process has imported the client.
    await _raw(root)(list(itertools.islice(fresh, 144)), 24, [])
    await _adapter(root)(list(itertools.islice(fresh, 144)), 24, [])
    ways = (
        Way("raw aiohttp", _raw(root)),
        Way("openai client, its default transport", _client(root, "httpx"), SLOW_WAYS_WAVES),
        Way("openai client, aiohttp transport", _client(root, "aiohttp")),
        Way("our adapter on it, aiohttp transport", _adapter(root)),
        Way("write_copy, default transport", _engine(connection, root, "httpx"), SLOW_WAYS_WAVES),
        Way("write_copy, aiohttp transport (ours)", _engine(connection, root, "aiohttp")),
    )
    for in_flight in given.in_flight:
        ideal = in_flight / (given.latency_ms / 1000)
        print(f"{in_flight} in flight, ideal {ideal:,.0f} requests/s", flush=True)
        for way in ways:
            requests = list(itertools.islice(fresh, in_flight * min(given.waves, way.most_waves)))
            answers: list[float] = []
            began, cpu = time.perf_counter(), _cpu_seconds()
            await way.send(requests, in_flight, answers)
            whole, busy = len(answers) / (time.perf_counter() - began), _cpu_seconds() - cpu
            steady = _steady(answers)
            lost = f", {len(requests) - len(answers)} without an answer" if len(answers) < len(requests) else ""
            print(f"  {way.name:<38} {len(requests):>5} requests: whole {whole:4.0f}/s, {whole / ideal:.2f} of the ideal; "
                  f"steady {steady:4.0f}/s, {steady / ideal:.2f}; "
                  f"{1000 * busy / len(requests):.1f} ms of this process's CPU a request{lost}", flush=True)  # fmt: skip

    print(f"of which the guardrails: {1000 * _judging_seconds(connection, requests):.1f} ms of a core a piece")


def _steady(answers: Sequence[float]) -> float:
    """Answers a second between the first quarter of them and the third."""
    first, third = len(answers) // 4, 3 * len(answers) // 4
    return (third - first) / (answers[third] - answers[first])


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
    async def send(requests: Sequence[CopyRequest], in_flight: int, answers: list[float]) -> None:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

            async def ask(request: CopyRequest) -> None:
                body = {"model": MODEL_ID, "messages": request.messages, "response_format": request.response_format}
                async with session.post(f"{root}/v1/chat/completions", json=body | request.parameters) as response:
                    await response.json()

            await _many(requests, in_flight, ask, answers)

    return send


def _client(root: str, transport: str) -> Send:
    async def send(requests: Sequence[CopyRequest], in_flight: int, answers: list[float]) -> None:
        async with _openai(root, transport) as client:
            create: Any = client.chat.completions.create

            async def ask(asked: CopyRequest) -> None:
                await create(
                    model=MODEL_ID, messages=asked.messages, response_format=asked.response_format, **asked.parameters
                )

            await _many(requests, in_flight, ask, answers)

    return send


def _adapter(root: str) -> Send:
    async def send(requests: Sequence[CopyRequest], in_flight: int, answers: list[float]) -> None:
        async with _openai(root, "aiohttp") as client:
            model = OpenAIModel(client, MODEL_ID, timeout_seconds=DEADLINE)

            async def ask(asked: CopyRequest) -> None:
                await model.ask(asked.messages, asked.response_format, asked.parameters)

            await _many(requests, in_flight, ask, answers)

    return send


def _engine(connection: psycopg.Connection, root: str, transport: str) -> Send:
    async def send(requests: Sequence[CopyRequest], in_flight: int, answers: list[float]) -> None:
        policy = generous_policy(max_concurrency=in_flight, timeout_seconds=DEADLINE)
        wanted: list[Wanted] = [(request,) for request in requests]
        async with _openai(root, transport) as client:
            model = OpenAIModel(client, MODEL_ID, timeout_seconds=policy.timeout_seconds)
            await write_copy(connection, Run("bench", f"{transport}_{in_flight}", CAMPAIGN), wanted, [model], policy)
        stored = "SELECT extract(epoch FROM created_at)::float8 FROM ops.copy WHERE request_hash = ANY(%s) ORDER BY 1"
        rows = connection.execute(stored, ([request.request_hash for request in requests],)).fetchall()
        answers.extend(seconds for (seconds,) in rows)

    return send


def _openai(root: str, transport: str) -> Any:
    from openai import AsyncOpenAI, DefaultAioHttpClient

    options = {"http_client": DefaultAioHttpClient()} if transport == "aiohttp" else {}
    return AsyncOpenAI(api_key=KEY, base_url=f"{root}/v1", timeout=DEADLINE, max_retries=0, **options)


async def _many(
    requests: Sequence[CopyRequest], in_flight: int, ask: Callable[[CopyRequest], Awaitable[None]], answers: list[float]
) -> None:
    """Ask for all, so many at a time."""
    waiting, errors = iter(requests), 0

    async def work() -> None:
        nonlocal errors
        for request in waiting:
            try:
                await ask(request)
            except Exception as error:  # missing among the answers, and the first is shown
                errors += 1
                if errors == 1:
                    print(f"    {type(error).__name__}: {str(error)[:200]}")
            else:
                answers.append(time.perf_counter())

    await asyncio.gather(*(work() for _ in range(in_flight)))


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
