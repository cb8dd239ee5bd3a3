"""A campaign's night that is run a second time, for 10,000 to 1 M contacts: model calls, pushes, and seconds of each step.

`python -m benchmarks.repeated_night [--people 10000 100000 1000000]`. Every contact did something that asks for an answer.
The first night runs in full but for its push: those messages are put into the ledger as confirmed. Then the same night is
run again, every step of it as the operators run it, but in one process: an Airflow task adds its own seconds to start.
"""

import argparse
import asyncio
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import psycopg

from benchmarks import slow_endpoint
from benchmarks.copy_night import CAMPAIGN, FALLBACK, TEMPLATE, generous_policy
from benchmarks.push_night import DAY, PushNight, push_night
from nurture.campaign import Arms, Trigger, campaign
from nurture.consent.rules import load_rules
from nurture.contact_policy.rules import timing, withholding
from nurture.copywriting.campaign_copy import write_campaign_copy
from nurture.copywriting.openai_model import OpenAIModel
from nurture.copywriting.store import Run
from nurture.ledger.accounting import balance
from nurture.operators.push_to_crm import PushToCrmOperator
from nurture.policy import load_policy
from nurture.quality.gate import run_gate
from nurture.scorecard.night import night_report
from nurture.warehouse.statements import statement
from sandbox.model.protocol import MODEL_ID
from sandbox.world.vocabulary import PRODUCTS

SIZES = (10_000, 100_000, 1_000_000)
FILL = """
TRUNCATE staging.contacts, staging.events, marts.person, marts.person_identity, marts.person_features, marts.audience,
         ops.copy, ops.push_ledger, ops.assignment, ops.message CASCADE;
INSERT INTO staging.contacts (crm_id, email, region, site_user_id, lifecycle_stage, persona, industry,
                              consent_status, consent_at, is_opted_out, modified_at)
SELECT n::text, 'c' || n || '@example.com', (ARRAY['DE', 'US', 'US-CA', 'FR'])[1 + n %% 4], 'u' || n, 'lead', 'founder',
       'retail', 'granted', '2026-01-05', false, '2026-11-01'
FROM generate_series(1, %(people)s) AS n;
INSERT INTO marts.person (person_id, crm_id, email, site_user_id, region, consent_status)
SELECT 'p_' || md5(crm_id), crm_id, email, site_user_id, region, consent_status FROM staging.contacts;
INSERT INTO marts.person_identity (kind, value, person_id)
SELECT 'crm_id', crm_id, person_id FROM marts.person UNION ALL SELECT 'user_id', site_user_id, person_id FROM marts.person;
INSERT INTO marts.person_features (day, person_id, crm_id, lifecycle_stage, persona, industry, recent_product_id, events_7d,
                                   sessions_7d)
SELECT %(day)s::date, person_id, crm_id, 'lead', (ARRAY['founder', 'operations_manager', 'it_lead'])[1 + crm_id::int %% 3],
       (ARRAY['retail', 'logistics', 'manufacturing', 'healthcare'])[1 + crm_id::int / 3 %% 4],
       (%(products)s::text[])[1 + crm_id::int / 12 %% cardinality(%(products)s::text[])], 1, 1
FROM marts.person;
INSERT INTO staging.events (event_day, row_number, event_at, event_name, user_id)
SELECT %(day)s::date, n, %(day)s::date, 'form_submit', 'u' || n FROM generate_series(1, %(people)s) AS n;
"""
CONFIRMED = """
INSERT INTO ops.push_ledger (campaign, person_id, slot, state, reason, crm_id, message_id, copy_id, day, claim_token, run_id)
SELECT message.campaign, message.person_id, message.slot, 'confirmed', 'written; the CRM confirmed the record',
       audience.crm_id, message.message_id, message.copy_id, message.day, gen_random_uuid(), 'first'
FROM ops.message AS message JOIN marts.audience AS audience USING (campaign, day, person_id);
"""
NIGHT = campaign(
    dag_id=CAMPAIGN, doc=None, template=TEMPLATE, fallback_template=FALLBACK, triggers=[Trigger("form_submit", 24)],
    lifecycle_stages=["lead"], arms=Arms(ai=0.8, static=0.1),
)  # fmt: skip
SQL_STEPS = ("select_audience", "apply_consent", "apply_contact_policy", "assign_arms")


class Stopwatch:
    """Seconds by step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def over(self, step: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.seconds[step] = time.perf_counter() - began


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, nargs="+", default=SIZES)
    given = parser.parse_args()
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    with push_night(latency_ms=0, ten_secondly_limit=None) as night, slow_endpoint.running(latency_ms=300) as root:
        for people in given.people:
            _fill(night.connection, people)
            first = _night(night, root, push=lambda: _confirm(night.connection))
            _vacuum(night.connection)
            night.requests()
            again = _night(night, root, push=_push)
            _print(people, first, again, night)


def _fill(connection: psycopg.Connection, people: int) -> None:
    bound = {"people": people, "day": DAY, "products": [product.id for product in PRODUCTS]}
    for each in FILL.strip().split(";\n"):
        connection.execute(each.rstrip(";").encode(), bound)
    connection.commit()
    _vacuum(connection)


def _vacuum(connection: psycopg.Connection) -> None:
    """What autovacuum does between two nights."""
    connection.autocommit = True
    connection.execute("VACUUM ANALYZE")
    connection.autocommit = False


def _night(night: PushNight, root: str, *, push: Callable[[], Any]) -> dict[str, Any]:
    """Every step of the night, timed; what the copy stage and the push counted."""
    connection, policy, watch = night.connection, load_policy(), Stopwatch()
    bound = {
        "campaign": CAMPAIGN, "day": DAY, "run_id": "bench", "trigger_events": ["form_submit"], "debounce_hours": [24],
        "lifecycle_stages": ["lead"], "is_rehearsal": "false", "experiment": CAMPAIGN, "ai_share": 0.8, "static_share": 0.1,
        **load_rules().parameters(), **withholding(policy.contact, CAMPAIGN), **timing(policy.contact),
    }  # fmt: skip
    for step in SQL_STEPS:
        with watch.over(step), connection.transaction():
            for name in NIGHT.get_task(step).statements:
                connection.execute(statement(name), bound)
    with watch.over("gate_audience"):
        _gate(connection, "marts.audience", "gate_audience")
    with watch.over("generate_copy"):
        copy = asyncio.run(_write(connection, root))
    connection.commit()
    with watch.over("gate_copy"):
        _gate(connection, "ops.message", "gate_copy")
    connection.execute("ANALYZE ops.message")
    connection.commit()
    with watch.over("push_ready"):
        pushed = push()
    with watch.over("report_run"):
        night_report(connection, dag_id=CAMPAIGN, run_id="bench", day=DAY, campaign=CAMPAIGN)
        if reason := balance(connection, campaign=CAMPAIGN, day=DAY).reason():
            raise RuntimeError(reason)
    connection.commit()
    return {"seconds": watch.seconds, "calls": copy.model_calls, "pushed": pushed}


def _gate(connection: psycopg.Connection, table: str, gate: str) -> None:
    verdict = run_gate(
        connection, tables=[table], day=date.fromisoformat(DAY), campaign=CAMPAIGN, dag_id=CAMPAIGN, run_id="bench",
        gate=gate, policy=load_policy(),
    )  # fmt: skip
    if not verdict.is_passed:
        raise RuntimeError(f"{gate}: {[result.detail for result in verdict.results if result.status != 'passed']}")


async def _write(connection: psycopg.Connection, root: str) -> Any:
    from openai import AsyncOpenAI, DefaultAioHttpClient

    policy = generous_policy()
    async with AsyncOpenAI(api_key="sandbox-model-key", base_url=f"{root}/v1", http_client=DefaultAioHttpClient()) as client:
        return await write_campaign_copy(
            connection, run=Run(CAMPAIGN, "bench", CAMPAIGN), day=DAY, template=TEMPLATE, fallback_template=FALLBACK,
            policy=policy, models=[OpenAIModel(client, MODEL_ID, timeout_seconds=policy.timeout_seconds)],
        )  # fmt: skip


def _confirm(connection: psycopg.Connection) -> int:
    confirmed = connection.execute(CONFIRMED.encode()).rowcount
    connection.commit()
    return confirmed


def _push() -> int:
    operator = PushToCrmOperator(task_id="push_ready", campaign=CAMPAIGN, lane="ready", day=DAY)
    return int(operator.push({"run_id": "bench"})["pushed"])  # type: ignore[typeddict-item]


def _print(people: int, first: dict[str, Any], again: dict[str, Any], night: PushNight) -> None:
    whole = sum(again["seconds"].values())
    steps = ", ".join(f"{step} {seconds:.1f}" for step, seconds in again["seconds"].items())
    print(f"{people:>9,} contacts: first {first['calls']} calls, {first['pushed']:,} messages; "
          f"again {again['calls']} calls, {again['pushed']} pushes, {sum(night.requests().values())} requests to the CRM, "
          f"{whole:.1f} s ({1e6 * whole / people:.0f} µs a contact): {steps}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
