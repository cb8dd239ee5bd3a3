"""A night of 10,000 contacts against one mapped Airflow task per contact, both through the same scheduler in one run.

The mapped way is run for `MAPPED` contacts and its time scaled to `PEOPLE`: all of them would take more than an hour, and
a mapped task costs the same however many there are. The model server answers after 300 ms in both.
"""

import os
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

PEOPLE, MAPPED = 10_000, 100
LATENCY_MS = 300


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="nurture-bench-"))
    os.environ["NURTURE_DEMO_FOLDER"] = str(folder / "demo")
    os.environ["NURTURE_DEMO_DAGS"] = str(Path(__file__).parent / "dags")

    from demo import stack
    from demo.night import last_day
    from demo.state import fresh

    state = fresh(8080)
    day = last_day(datetime.now(UTC))
    try:
        api = stack.start(state, print)
        _fill(state, day)
        api.wait_for_dags({"bench_night", "bench_mapped"}, 60)
        model = f"{state.model_url}/__admin__"
        ours = _run(api, "bench_night", day, model)
        plain = _run(api, "bench_mapped", day, model)
        with psycopg.connect(stack.postgres(state).url("warehouse")) as connection:
            pushed = connection.execute("SELECT count(*) FROM ops.push_ledger WHERE state = 'confirmed'").fetchone()
            waiting = connection.execute("SELECT count(*) FROM ops.message WHERE lane = 'approval'").fetchone()
    finally:
        stack.stop(state, lambda _: None)
        stack.delete_data(state, lambda _: None)
        shutil.rmtree(folder, ignore_errors=True)
    scaled = plain["seconds"] * PEOPLE / MAPPED
    print(f"night, {PEOPLE:,} contacts: {ours['calls']} model calls, {ours['seconds']:.1f} s, {pushed[0]:,} pushed, "
          f"{waiting[0]} wait for approval")  # fmt: skip
    print(f"mapped, {MAPPED} contacts: {plain['calls']} model calls, {plain['seconds']:.1f} s; "
          f"scaled to {PEOPLE:,}: {scaled:,.0f} s")  # fmt: skip
    print(f"model calls: {PEOPLE / ours['calls']:.0f} times fewer (aim 50)")
    print(f"wall time: {scaled / ours['seconds']:.0f} times less (aim 20)")


def _run(api: Any, dag_id: str, day: Any, model: str) -> dict[str, float]:
    import httpx

    from demo import night
    from demo.airflow import parse_time

    headers = {"X-Sandbox-Admin": "sandbox"}
    httpx.post(f"{model}/reset", json={}, headers=headers).raise_for_status()
    slow = {"mode": "slow", "delay_seconds": LATENCY_MS / 1000}
    httpx.post(f"{model}/behaviour", json=slow, headers=headers).raise_for_status()
    run = night.run_last_night(api, dag_id, day, lambda _: None)
    if run["state"] != "success":
        raise RuntimeError(f"{dag_id} ended as {run['state']}")
    calls = httpx.get(f"{model}/requests", params={"limit": 1}, headers=headers).json()
    seconds = (parse_time(run["end_date"]) - parse_time(run["start_date"])).total_seconds()
    return {"seconds": seconds, "calls": calls["count"]}


def _fill(state: Any, day: Any) -> None:
    """Contacts in the CRM and in staging, and an audience of all of them; contexts as the synthetic world has them."""
    import json

    from demo import stack
    from sandbox.crm.server import RunningCrm
    from sandbox.world import generate
    from sandbox.world.vocabulary import PRODUCTS

    world = generate(people=PEOPLE, days=14, last_day=day, seed=7)
    contacts = [c for c in world.contacts[:PEOPLE] if c.properties.get("email")]
    crm = RunningCrm(state.crm_url)
    for start in range(0, len(contacts), 2_000):
        crm.seed([c.as_seed() for c in contacts[start : start + 2_000]])
    products = [None, *(product.name for product in PRODUCTS)]
    given = [
        {"id": str(c.id), "p": c.properties, "product": products[position % len(products)]}
        for position, c in enumerate(contacts)
    ]
    with psycopg.connect(stack.postgres(state).url("warehouse")) as connection:
        connection.execute(
            """
            WITH given AS (
                SELECT * FROM jsonb_to_recordset(%(contacts)s::jsonb) AS c (id text, p jsonb, product text)
            ), contact AS (
                INSERT INTO staging.contacts (crm_id, email, first_name, consent_status, is_opted_out, modified_at, region)
                SELECT id, p ->> 'email', p ->> 'firstname', 'granted', false, now(), 'US' FROM given
            ), person AS (
                INSERT INTO marts.person (person_id, crm_id, consent_status) SELECT 'p_' || id, id, 'granted' FROM given
            )
            INSERT INTO marts.audience (campaign, day, person_id, slot, crm_id, trigger_event, trigger_at, trigger_event_day,
                                        trigger_row_number, context, consent_basis, arm)
            SELECT 'lead_nurture', %(day)s, 'p_' || id, 'bench', id, 'form_submit', now(), %(day)s, 1,
                   jsonb_build_object('persona', p ->> 'persona', 'industry', p ->> 'industry',
                                      'pain_point', p ->> 'pain_point', 'lifecycle_stage', p ->> 'lifecyclestage',
                                      'recent_product', product, 'trigger_event', 'form_submit'), 'bench', 'ai'
            FROM given
            """,
            {"contacts": json.dumps(given), "day": day},
        )
        some = f"CREATE TABLE ops.bench_mapped AS SELECT crm_id FROM staging.contacts ORDER BY crm_id LIMIT {MAPPED}"
        connection.execute(some.encode())


if __name__ == "__main__":
    main()
