"""Hard bounces and spam complaints from the CRM onto the lists, over real HTTP."""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import psycopg
import pytest
from campaign_night import prepare, push, reason_of

from contact_policy_night import apply, at_the_claim, lead_night
from nurture.contact_policy.undeliverable import keep_complaints, keep_hard_bounces
from nurture.hooks import hubspot_email_events
from nurture.hooks.hubspot import HubSpotHook
from nurture.hooks.hubspot_email_events import HubSpotEmailEvents
from nurture.operators.load_suppressions import LoadSuppressionsOperator
from nurture.policy import Crm, load_policy
from nurture.warehouse.crm_contacts import load_contacts
from sandbox.crm.server import RunningCrm

pytestmark = pytest.mark.slow  # whole pushes to the CRM over HTTP

BOUNCED = "hs_email_hard_bounce_reason_enum"
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def events(crm: RunningCrm, crm_policy: Crm) -> HubSpotEmailEvents:
    return HubSpotEmailEvents("crm", policy=crm_policy, backoff_seconds=0.01)


def report_spam(crm: RunningCrm, *numbers: int, at: datetime = NOON, kind: str = "SPAMREPORT") -> None:
    """People p1@… press the button."""
    crm.admin("events", [
        {"id": f"{kind}-{n}-{at.timestamp()}", "created": int(at.timestamp() * 1000) + n, "type": kind,
         "recipient": f" P{n}@Example.com"}
        for n in numbers
    ])  # fmt: skip


def listed(warehouse: psycopg.Connection, list_name: str) -> list[str]:
    rows = warehouse.execute(
        "SELECT value FROM ops.suppression WHERE list = %s AND removed_at IS NULL ORDER BY suppression_id", (list_name,)
    ).fetchall()
    warehouse.commit()
    return [row[0] for row in rows]


def hash_of(number: int) -> str:
    return sha256(f"p{number}@example.com".encode()).hexdigest()


def test_who_reported_spam_gets_no_message_any_more(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm, events: HubSpotEmailEvents
) -> None:
    prepare(warehouse, crm, hook, 2)
    report_spam(crm, 1)
    report_spam(crm, 2, kind="OPEN")

    counts = keep_complaints(warehouse, events)
    warehouse.commit()
    pushed = push(warehouse, hook, crm_policy)

    assert (counts.read, counts.added) == (1, 1)
    assert (pushed.pushed, pushed.suppressed) == (1, 1)
    assert (
        reason_of(warehouse, "p0001")[1]
        == "on the suppression list spam_complaint: reported a message as spam on 2026-11-20"
    )


def test_complaints_are_read_from_where_the_last_load_ended_and_in_pages(
    crm: RunningCrm, warehouse: psycopg.Connection, events: HubSpotEmailEvents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hubspot_email_events, "PAGE", 2)
    report_spam(crm, 1, 2, 3, 4, 5)
    first = keep_complaints(warehouse, events)
    report_spam(crm, 6, at=NOON.replace(hour=15))
    report_spam(crm, 7, at=NOON.replace(hour=11, minute=30))  # came in late

    second = keep_complaints(warehouse, events)
    third = keep_complaints(warehouse, events)

    assert (first.read, first.added) == (5, 5)
    assert (second.read, second.added) == (7, 2)
    assert (third.read, third.added) == (1, 0), "only the last hour is read again"
    assert sorted(listed(warehouse, "spam_complaint")) == sorted(hash_of(n) for n in range(1, 8))


def test_who_a_person_took_off_the_list_comes_back_with_a_later_report_only(
    crm: RunningCrm, warehouse: psycopg.Connection, events: HubSpotEmailEvents
) -> None:
    report_spam(crm, 1)
    keep_complaints(warehouse, events)
    warehouse.execute("UPDATE ops.suppression SET removed_at = %s", (NOON.replace(hour=13),))

    keep_complaints(warehouse, events)
    before = listed(warehouse, "spam_complaint")
    report_spam(crm, 1, at=NOON.replace(hour=14))
    keep_complaints(warehouse, events)

    assert before == []
    assert listed(warehouse, "spam_complaint") == [hash_of(1)]


def test_a_contact_that_bounced_for_good_is_listed_once_and_stays_off_when_a_person_says_so(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    crm.seed([
        {"id": 1, "properties": {"email": "p1@example.com", BOUNCED: "UNKNOWN_USER"}},
        {"id": 2, "properties": {"email": "p2@example.com", "hs_email_bounce": "3"}},
        {"id": 3, "properties": {"email": "p3@example.com", BOUNCED: ""}},
        {"id": 4, "properties": {BOUNCED: "UNKNOWN_USER"}},
    ])  # fmt: skip
    load_contacts(warehouse, hook, crm_policy, load_policy().consent, dag_id="d", run_id="r", day="2026-11-20")

    added = keep_hard_bounces(warehouse), keep_hard_bounces(warehouse)
    held = listed(warehouse, "hard_bounce")
    warehouse.execute("UPDATE ops.suppression SET removed_at = now()")

    assert added == (1, 0)
    assert held == [hash_of(1)]
    assert keep_hard_bounces(warehouse) == 0


def test_a_portal_that_hides_its_events_costs_a_warning_and_not_the_night(
    crm: RunningCrm, warehouse: psycopg.Connection, warehouse_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", warehouse_url)
    warehouse.execute(
        "INSERT INTO raw_hubspot.contacts (crm_id, email, modified_at, properties)"
        " VALUES ('1', 'p1@example.com', now(), %s)", (f'{{"{BOUNCED}": "UNKNOWN_USER"}}',),
    )  # fmt: skip
    warehouse.commit()
    context: Any = {}
    seen = LoadSuppressionsOperator(task_id="t").execute(context)
    monkeypatch.setattr(hubspot_email_events, "PATH", "/email/public/v9/events")

    hidden = LoadSuppressionsOperator(task_id="t").execute(context)

    assert seen == {"hard_bounces_added": 1, "complaints_read": 0, "complaints_added": 0}
    assert hidden == {"hard_bounces_added": 0}


def test_an_events_api_that_is_down_costs_a_warning_and_the_next_load_goes_on(
    crm: RunningCrm, warehouse: psycopg.Connection, warehouse_url: str, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", warehouse_url)
    report_spam(crm, 1)
    crm.fault("/email/public", status=503, times=load_policy().crm.max_attempts, headers={"Retry-After": "0"})

    down = LoadSuppressionsOperator(task_id="t").execute({})  # type: ignore[typeddict-item]
    up = LoadSuppressionsOperator(task_id="t").execute({})  # type: ignore[typeddict-item]

    assert down == {"hard_bounces_added": 0}
    assert "The next load goes on where the last one ended" in capsys.readouterr().out
    assert up == {"hard_bounces_added": 0, "complaints_read": 1, "complaints_added": 1}


@pytest.mark.parametrize("delivered", ["ann@xn--mnchen-3ya.example", "Ａnn@MÜNCHEN.example", " Ann@mu\u0308nchen.example"])
def test_whoever_bounced_or_complained_is_found_however_the_address_is_spelled(
    crm: RunningCrm, warehouse: psycopg.Connection, events: HubSpotEmailEvents, delivered: str
) -> None:
    lead_night(warehouse, "1", email=delivered)
    warehouse.execute("UPDATE staging.contacts SET email = staging.address_key(email)")  # as the load cleans it
    free = apply(warehouse), at_the_claim(warehouse)

    warehouse.execute(
        "UPDATE raw_hubspot.contacts SET properties = jsonb_build_object(%s::text, 'UNKNOWN_USER')", (BOUNCED,)
    )
    bounced = keep_hard_bounces(warehouse)
    held = apply(warehouse), at_the_claim(warehouse)
    warehouse.execute("DELETE FROM ops.suppression")
    crm.admin("events", [{"id": "1", "created": int(NOON.timestamp() * 1000), "type": "SPAMREPORT", "recipient": delivered}])
    complained = keep_complaints(warehouse, events)
    told = apply(warehouse), at_the_claim(warehouse)

    assert (bounced, complained.added) == (1, 1)
    assert free == ({"1": None}, {"1": None})
    assert held == ({"1": "on the suppression list hard_bounce: HubSpot says UNKNOWN_USER"},) * 2
    assert told == ({"1": "on the suppression list spam_complaint: reported a message as spam on 2026-11-20"},) * 2
