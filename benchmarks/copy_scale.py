"""A night's copy for 1,000, 10,000 and 100,000 contacts: model calls, cost, a repeated night, and peak memory.

`python -m benchmarks.copy_scale [--people 1000 10000 100000]`. Contexts are spread over people as in the synthetic world;
each size begins with an empty store. The stage that `GenerateCopyOperator` runs is run in a process of its own, and again
for the night's repetition; peak memory is that process's. The endpoint answers after 300 ms, at made-up prices.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import time
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import psycopg

from benchmarks import slow_endpoint
from benchmarks.copy_night import CAMPAIGN, FALLBACK, TEMPLATE, contexts, generous_policy, invite
from benchmarks.scratch_warehouse import warehouse

DAY = date(2026, 11, 21)
SIZES = (1_000, 10_000, 100_000)
PROJECT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Measure and print; with `--stage` be the process that is measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, nargs="+", default=SIZES)
    parser.add_argument("--stage", nargs=2, metavar=("WAREHOUSE", "ENDPOINT"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.stage:
        print(json.dumps(asyncio.run(_stage(*given.stage))))
        return
    everyone = contexts(max(given.people), last_day=DAY)
    with warehouse() as connection, slow_endpoint.running(latency_ms=300) as root:
        for people in given.people:
            connection.execute("TRUNCATE ops.copy CASCADE")
            invite(connection, DAY, everyone[:people])
            _print(people, _measured(connection, root), _measured(connection, root))


def _measured(connection: psycopg.Connection, root: str) -> dict[str, Any]:
    """What the stage, run in a process of its own, says of itself."""
    url = f"postgresql://{connection.info.user}@{connection.info.host}:{connection.info.port}/{connection.info.dbname}"
    command = [sys.executable, "-m", "benchmarks.copy_scale", "--stage", url, root]
    ended = subprocess.run(command, cwd=PROJECT, stdout=subprocess.PIPE, check=True)
    measured: dict[str, Any] = json.loads(ended.stdout)
    return measured


async def _stage(warehouse_url: str, root: str) -> dict[str, Any]:
    from openai import AsyncOpenAI, DefaultAioHttpClient

    from nurture.copywriting.campaign_copy import write_campaign_copy
    from nurture.copywriting.openai_model import OpenAIModel
    from nurture.copywriting.store import Run
    from sandbox.model.protocol import MODEL_ID

    policy = generous_policy()
    with psycopg.connect(warehouse_url) as connection:
        before, began = _peak_mib(), time.perf_counter()
        transport = DefaultAioHttpClient()
        async with AsyncOpenAI(api_key="sandbox-model-key", base_url=f"{root}/v1", http_client=transport) as client:
            counts = await write_campaign_copy(
                connection, run=Run(CAMPAIGN, "bench", CAMPAIGN), day=DAY.isoformat(), template=TEMPLATE,
                fallback_template=FALLBACK, policy=policy,
                models=[OpenAIModel(client, MODEL_ID, timeout_seconds=policy.timeout_seconds)],
            )  # fmt: skip
    return asdict(counts) | {"seconds": time.perf_counter() - began, "peak_mib": _peak_mib(), "before_mib": before}


def _peak_mib() -> float:
    # Not getrusage: a child begins with the peak of the process that started it.
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def _print(people: int, first: dict[str, Any], again: dict[str, Any]) -> None:
    thousands = people / 1_000
    print(f"{people:>7,} contacts: {first['model_calls']} calls, {first['model_calls'] / thousands:.2f} and "
          f"${first['cost_usd'] / thousands:.5f} per 1,000 contacts, {first['seconds']:.1f} s; "
          f"again: {again['model_calls']} calls, {again['seconds']:.1f} s; "
          f"peak memory {first['peak_mib']:.0f} MiB ({first['before_mib']:.0f} before the stage), "
          f"again {again['peak_mib']:.0f} MiB", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
