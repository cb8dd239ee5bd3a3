"""What the ledger costs a push: the same consent reads and writes with it and without it, side by side in one run.

`python -m benchmarks.ledger_cost [--people 4000] [--rounds 3] [--latency-ms 150]`. Without: for each 100 contacts one batch
read of the consent properties and one batch write of the same values, nothing remembered. With: `Push`, as the operator runs
it, consent decided and kept, every message claimed, sent and confirmed. Both through the same hook and the same number of
threads, in turns, to a CRM that answers each request after the latency. Once within the portal's quota, as a night runs;
once without any limit, one batch after the other, where every millisecond of the ledger shows.
"""

import argparse
import itertools
import statistics
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg

from benchmarks.push_night import DAY, PushNight, push_night
from nurture.hooks.hubspot import HubSpotHook, PropertyDefinition
from nurture.ledger.attempt import attempt
from nurture.ledger.push import Hand, Push
from nurture.ledger.quota import RequestQuota
from nurture.operators.push_to_crm import GROUP, LABELS, SHAPES, PushToCrmOperator
from nurture.policy import Policy, load_policy
from nurture.warehouse.crm_contact_consent import consent_properties


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=4_000, help="contacts of each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--latency-ms", type=float, default=150)
    given = parser.parse_args()
    policy = load_policy()
    firsts = itertools.count(1, given.people)
    with push_night(latency_ms=given.latency_ms, ten_secondly_limit=None) as night:
        names = [PropertyDefinition(name, label, *SHAPES.get(name, ())) for name, label in LABELS.items()]
        HubSpotHook("crm", policy=policy.crm).ensure_properties(names, group=GROUP)
        for title, threads, is_paced in (
            ("within the quota", policy.crm.push_workers, True),
            ("one after the other", 1, False),
        ):
            seconds: dict[str, list[float]] = {"with": [], "without": []}
            for _ in range(given.rounds + 1):
                first = next(firsts)
                seconds["without"].append(_plain(night, policy, range(first, first + given.people), threads, is_paced))
                first = next(firsts)
                night.invite(f"bench_{first}", first=first, people=given.people)
                seconds["with"].append(_ledgered(night, policy, f"bench_{first}", threads, is_paced))
            _print(title, given.people, {name: measured[1:] for name, measured in seconds.items()})  # the first warms up


@contextmanager
def _hook(night: PushNight, policy: Policy, is_paced: bool) -> Iterator[HubSpotHook]:
    if not is_paced:
        yield HubSpotHook("crm", policy=policy.crm)
        return
    with RequestQuota(lambda: psycopg.connect(night.url), conn_id="crm", policy=policy.crm) as quota:
        yield HubSpotHook("crm", policy=policy.crm, quota=quota)


def _plain(night: PushNight, policy: Policy, numbers: Sequence[int], threads: int, is_paced: bool) -> float:
    """Seconds to read and write contacts of these ids, which are made first."""
    values = {"firstname": "Annika", "consent_status": "granted", "region": "US"}
    night.crm.seed([{"id": n, "properties": values | {"email": f"p{n}@example.com"}} for n in numbers])
    written = dict.fromkeys(LABELS, "Count less, Annika") | {"nurture_send_after": "1790000000000"}
    batches = iter([[str(n) for n in numbers[at : at + policy.crm.batch_size]] for at in range(0, len(numbers), 100)])

    def work(crm: HubSpotHook) -> None:
        for crm_ids in batches:
            crm.batch_read(crm_ids, consent_properties(policy.consent))
            crm.batch_update(dict.fromkeys(crm_ids, written))

    with _hook(night, policy, is_paced) as crm, ThreadPoolExecutor(threads) as pool:
        hooks = [crm.another() for _ in range(threads)]
        began = time.perf_counter()
        list(pool.map(work, hooks))
        return time.perf_counter() - began


def _ledgered(night: PushNight, policy: Policy, campaign: str, threads: int, is_paced: bool) -> float:
    """Seconds to push the campaign's messages."""
    operator = PushToCrmOperator(task_id="push", campaign=campaign, lane="ready", day=DAY)
    limits = policy.crm.model_copy(update={"push_workers": threads})
    with (
        _hook(night, policy, is_paced) as crm,
        psycopg.connect(night.url) as connection,
        attempt(connection, campaign=campaign, lane="ready", day=DAY, run_id="bench") as mine,
    ):

        @contextmanager
        def another_hand() -> Iterator[Hand]:
            with psycopg.connect(night.url) as own:
                yield Hand(mine.over(own), crm.another())

        began = time.perf_counter()
        counts = Push(mine, crm, operator.compose, limits, policy.consent, another_hand=another_hand).run()
        seconds = time.perf_counter() - began
    if counts.waiting or not counts.pushed:
        raise RuntimeError(f"expected every message to be pushed, found {counts}")
    return seconds


def _print(title: str, people: int, seconds: dict[str, list[float]]) -> None:
    hundreds = people / 100
    with_it, without = (statistics.median(seconds[name]) for name in ("with", "without"))
    rounds = ", ".join(f"{a / b - 1:+.1%}" for a, b in zip(seconds["with"], seconds["without"], strict=True))
    print(f"ledger, {title}: {with_it / without - 1:+.1%} wall time ({1000 * with_it / hundreds:.0f} against "
          f"{1000 * without / hundreds:.0f} ms per 100 contacts; rounds {rounds})", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
