"""The push against the portal's quota: the share that is used, and of requests answered 429, alone and in parallel.

`python -m benchmarks.push_rate [--people 40000] [--latency-ms 150]`. The operator itself pushes to the sandbox CRM, which
keeps the vendor's rolling limit (190 requests in any 10 s) and answers each batch after the latency. A batch of 100 costs
two requests, one to read consent and one to write, so the ceiling is 950 contacts/s, not 1,900. Then as many people in
three runs at once.
"""

import argparse
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks.push_night import DAY, PushNight, push_night
from nurture.hooks import hubspot  # noqa: F401 - before the clock runs
from nurture.ledger import push  # noqa: F401
from nurture.operators.push_to_crm import PushToCrmOperator
from nurture.policy import load_policy

PARALLEL = 3


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=40_000, help="contacts of each of the two measurements")
    parser.add_argument("--latency-ms", type=float, default=150)
    given = parser.parse_args()
    limit = load_policy().crm.requests_per_10_seconds
    with push_night(latency_ms=given.latency_ms, ten_secondly_limit=limit) as night:
        night.invite("alone", first=1, people=given.people)
        each = given.people // PARALLEL
        for number in range(PARALLEL):
            night.invite(f"parallel_{number}", first=1 + given.people + number * each, people=each)
        _print("one run", limit, _measured(night, ["alone"]))
        _print(f"{PARALLEL} runs at once", limit, _measured(night, [f"parallel_{number}" for number in range(PARALLEL)]))


def _measured(night: PushNight, campaigns: list[str]) -> dict[str, Any]:
    night.requests()
    began = time.perf_counter()
    with ThreadPoolExecutor(len(campaigns)) as pool:
        pushed = sum(pool.map(_push, campaigns))
    seconds = time.perf_counter() - began
    by_status = night.requests()
    return {"seconds": seconds, "pushed": pushed, "requests": sum(by_status.values()), "refused": by_status.get(429, 0)}


def _push(campaign: str) -> int:
    operator = PushToCrmOperator(task_id="push_ready", campaign=campaign, lane="ready", day=DAY)
    return int(operator.push({"run_id": "bench"})["pushed"])  # type: ignore[typeddict-item]


def _print(name: str, limit: int, it: dict[str, Any]) -> None:
    per_second = it["requests"] / it["seconds"]
    print(f"push, {name}: {per_second / (limit / 10):.3f} of the quota ({per_second:.1f} of {limit / 10:g} requests/s), "
          f"{it['refused'] / it['requests']:.2%} answered 429; {it['pushed']:,} contacts in {it['seconds']:.1f} s, "
          f"{it['pushed'] / it['seconds']:.0f} contacts/s", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
