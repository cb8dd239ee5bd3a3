"""Whole campaign nights of several days on several threads at once, in a random order: backfills beside the nightly run."""

import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import psycopg
import pytest
from campaign_night import CAMPAIGN, MESSAGE_ID, add_copy, id_of, push

from audience_night import TRIGGERS
from dags_under_test import statements_of
from nurture.hooks.hubspot import HubSpotHook, PropertyDefinition
from nurture.operators.push_to_crm import GROUP, LABELS
from nurture.policy import Crm, load_policy
from nurture.warehouse.statements import statement
from sandbox.crm.server import RunningCrm
from warehouse_rows import add_contact, add_event, resolve

pytestmark = pytest.mark.slow

SEED = 20_261_122
PEOPLE, ROUNDS, THREADS = 30, 3, 4
DAYS = [date(2026, 11, 13) + timedelta(days=n) for n in range(6)]  # Friday to Wednesday: two weeks, so two slots
NEVER_STALE = 36_500


def fill(connection: psycopg.Connection, crm: RunningCrm, hook: HubSpotHook, rng: random.Random) -> None:
    """Leads in the CRM and in the warehouse, each of whom did something on some of the days."""
    crm.seed(
        [
            {"id": n, "properties": {"email": f"{n}@example.com", "consent_status": "granted", "region": "DE"}}
            for n in range(1, PEOPLE + 1)
        ]
    )
    hook.ensure_properties([PropertyDefinition(name, label) for name, label in LABELS.items()], group=GROUP)
    rows = 0
    for number in range(1, PEOPLE + 1):
        add_contact(connection, str(number))
        for day in rng.sample(DAYS, rng.randint(1, 4)):
            rows += 1
            add_event(
                connection, rows, "form_submit", day=day, user_id=f"u-{number}", user_pseudo_id=f"d-{number}",
                event_at=f"{day}T{rng.randrange(24):02}:00Z",
            )  # fmt: skip
    resolve(connection, DAYS[-1])
    for day in DAYS:
        add_copy(connection, f"copy of {day}", origin="static")
    connection.commit()


def select(connection: psycopg.Connection, day: date) -> None:
    """The campaign's steps of that day up to its messages, whose copy is named after the day."""
    night = {"campaign": CAMPAIGN, "day": day, "run_id": f"run of {day}"}
    with connection.transaction():
        for name in (
            "marts/delete_features.sql",
            "marts/person_features.sql",
            "audience/delete.sql",
            "audience/lead_nurture.sql",
        ):
            connection.execute(statement(name), night | TRIGGERS)
    with connection.transaction():
        consent = night | consent_parameters()
        for name in statements_of(CAMPAIGN, "apply_consent"):
            connection.execute(statement(name), consent)
    with connection.transaction():
        arms = night | {"experiment": CAMPAIGN, "ai_share": 0.5, "static_share": 0.5}
        for name in statements_of(CAMPAIGN, "assign_arms"):
            connection.execute(statement(name), arms)
    with connection.transaction():
        connection.execute("DELETE FROM ops.message WHERE campaign = %(campaign)s AND day = %(day)s", night)
        connection.execute(
            """
            INSERT INTO ops.message (campaign, day, person_id, slot, message_id, copy_id, fallback_copy_id, lane)
            SELECT campaign, day, person_id, slot,
                   encode(sha256(convert_to(concat_ws(E'\n', campaign, slot, %(copy_id)s::text), 'UTF8')), 'hex'),
                   %(copy_id)s, %(copy_id)s, 'ready'
            FROM marts.audience WHERE campaign = %(campaign)s AND day = %(day)s AND suppressed_reason IS NULL
            """,
            night | {"copy_id": id_of(connection, f"copy of {day}")},
        )


def consent_parameters() -> dict[str, object]:
    from nurture.consent.rules import load_rules

    return dict(load_rules().parameters())


def test_nights_at_once_in_any_order_send_one_message_a_slot_and_never_an_older_one_after_a_newer(
    crm: RunningCrm, warehouse: psycopg.Connection, warehouse_url: str, hook: HubSpotHook, crm_policy: Crm
) -> None:
    rng = random.Random(SEED)
    print(f"seed {SEED}")
    fill(warehouse, crm, hook, rng)
    policy = crm_policy.model_copy(update={"batch_size": 5, "settle_after_seconds": 0.2})
    one_run_of = {day: threading.Lock() for day in DAYS}  # Airflow, too, has one run of a DAG for a day
    nights = [(day, number) for number in range(ROUNDS) for day in DAYS]
    rng.shuffle(nights)

    def run(night: tuple[date, int]) -> None:
        day, number = night
        with one_run_of[day], psycopg.connect(warehouse_url) as connection:
            select(connection, day)
            connection.commit()
            push(connection, HubSpotHook("crm", policy=policy), policy, day=str(day), run_id=f"{day} {number}",
                 consent=load_policy().consent, freshness_days=NEVER_STALE)  # fmt: skip

    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(run, nights))

    writes = [(write["contact_id"], write["value"]) for write in crm.writes(MESSAGE_ID)]
    ledger = warehouse.execute(
        "SELECT crm_id, message_id, slot, day, state FROM ops.push_ledger WHERE campaign = %s", (CAMPAIGN,)
    ).fetchall()
    confirmed = {
        (crm_id, message_id): (slot, day) for crm_id, message_id, slot, day, state in ledger if state == "confirmed"
    }
    assert {state for *_, state in ledger} <= {"confirmed", "superseded"}
    assert sorted(writes) == sorted(confirmed), "the CRM saw each confirmed message once, and nothing else"
    assert max(Counter((crm_id, slot) for (crm_id, _), (slot, _) in confirmed.items()).values()) == 1
    days_by_contact: dict[str, list[date]] = {}
    for write in writes:
        days_by_contact.setdefault(write[0], []).append(confirmed[write][1])
    assert [days for days in days_by_contact.values() if days != sorted(days)] == [], (
        "an older message came after a newer one"
    )
    assert len({crm_id for crm_id, *_ in ledger}) == PEOPLE, "everybody is reached or accounted for"
