"""Consent between two nights: what changed in the sandbox CRM is known within the hour, once, and undone by nobody."""

import threading
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from campaign_night import MESSAGE_ID, add_copy, add_messages, push, reason_of, unsubscribe

from dags_under_test import dag_bag
from nurture.consent.sync import SyncCounts, sync_consent
from nurture.hooks.hubspot import HubSpotHook
from nurture.policy import Crm, load_policy
from nurture.warehouse.crm_contacts import load_contacts
from sandbox.crm.server import RunningCrm
from warehouse_rows import resolve

pytestmark = pytest.mark.slow  # a CRM over HTTP for each

CONSENT = load_policy().consent
MORNING, NOON, EVENING = (f"2026-11-20T{hour}:00:00.000Z" for hour in ("08", "12", "18"))
GRANT = {"consent_status": "granted", "consent_timestamp": "2026-01-05T09:00:00Z", "region": "DE"}


def seed(crm: RunningCrm, crm_id: int, modified: str, **properties: str) -> None:
    """A contact who once agreed, last modified at `modified`."""
    given = {"email": f"p{crm_id}@example.com", "firstname": "Annika", "company": "Nordlicht"} | GRANT | properties
    crm.seed([{"id": crm_id, "properties": given, "createdate": "2026-01-01T00:00:00.000Z", "lastmodifieddate": modified}])


def load(warehouse: psycopg.Connection, hook: HubSpotHook, policy: Crm) -> None:
    """The nightly load, and the people that follow from it."""
    load_contacts(warehouse, hook, policy, CONSENT, dag_id="customer_data", run_id="night", day="2026-11-20")
    warehouse.commit()
    resolve(warehouse)
    warehouse.commit()


def sync(warehouse: psycopg.Connection, hook: HubSpotHook, policy: Crm) -> SyncCounts:
    return sync_consent(warehouse, hook, policy, CONSENT, dag_id="consent_sync", run_id="hour")


def consent_of(warehouse: psycopg.Connection, crm_id: str = "1") -> Any:
    """What staging and marts say of one contact: opted out, consent, region; the person's consent and region."""
    row = warehouse.execute(
        "SELECT is_opted_out, contact.consent_status, contact.region, person.consent_status, person.region"
        " FROM staging.contacts AS contact JOIN marts.person USING (crm_id) WHERE crm_id = %s",
        (crm_id,),
    ).fetchone()
    warehouse.commit()
    return row


def events(warehouse: psycopg.Connection) -> list[tuple[Any, ...]]:
    rows = warehouse.execute(
        "SELECT status, happened_at, source, legal_text FROM ops.consent_event ORDER BY happened_at"
    ).fetchall()
    warehouse.commit()
    return rows


def searches(crm: RunningCrm) -> int:
    counts = crm.admin("requests")["counts"]
    return sum(each["count"] for each in counts if each["route"].endswith("/search"))


def test_a_withdrawal_is_known_to_people_and_history_without_a_night(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    seed(crm, 1, MORNING, consent_source="webinar form", hs_legal_basis="Freely given consent from contact")
    load(warehouse, hook, crm_policy)

    seed(crm, 1, NOON, hs_email_optout_101="true", region="AT", consent_source="webinar form")
    counts = sync(warehouse, hook, crm_policy)

    assert (counts.contacts, counts.changed, counts.events) == (1, 1, 1)
    assert consent_of(warehouse) == (True, "granted", "AT", "denied", "AT")
    assert events(warehouse) == [
        (
            "granted",
            datetime(2026, 1, 5, 9, tzinfo=UTC),
            "hubspot.contacts: webinar form",
            "Freely given consent from contact",
        ),
        ("denied", datetime(2026, 11, 20, 12, tzinfo=UTC), "hubspot.contacts: opt-out from e-mail", None),
    ]


def test_a_second_sync_and_the_load_after_it_find_nothing_more(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    seed(crm, 1, MORNING)
    load(warehouse, hook, crm_policy)
    seed(crm, 1, NOON, hs_email_optout="true")
    sync(warehouse, hook, crm_policy)
    before = consent_of(warehouse), events(warehouse)

    again = sync(warehouse, hook, crm_policy)
    load(warehouse, hook, crm_policy)

    assert (again.changed, again.events) == (0, 0)
    assert (consent_of(warehouse), events(warehouse)) == before


def test_an_hour_without_changes_costs_one_search(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    for crm_id in range(1, 6):
        seed(crm, crm_id, MORNING)
    load(warehouse, hook, crm_policy)
    seed(crm, 6, EVENING)
    sync(warehouse, hook, crm_policy)
    before = searches(crm)

    counts = sync(warehouse, hook, crm_policy)

    assert searches(crm) - before == 1
    assert (counts.contacts, counts.changed) == (1, 0)


def test_what_is_no_consent_is_left_to_the_night(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    seed(crm, 1, MORNING)
    load(warehouse, hook, crm_policy)
    seed(crm, 1, NOON, company="Südlicht", hs_email_optout="true")
    seed(crm, 2, NOON)
    sync(warehouse, hook, crm_policy)
    query = "SELECT crm_id, company, is_opted_out FROM staging.contacts ORDER BY crm_id"
    between = warehouse.execute(query).fetchall()

    load(warehouse, hook, crm_policy)

    assert between == [("1", "Nordlicht", True)]
    assert warehouse.execute(query).fetchall() == [("1", "Südlicht", True), ("2", "Nordlicht", False)]


def test_a_withdrawal_that_the_load_of_a_stopped_night_read_reaches_the_people(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    seed(crm, 1, MORNING)
    load(warehouse, hook, crm_policy)
    seed(crm, 1, NOON, hs_email_optout="true")
    load_contacts(warehouse, hook, crm_policy, CONSENT, dag_id="customer_data", run_id="stopped", day="2026-11-21")
    warehouse.commit()

    counts = sync(warehouse, hook, crm_policy)

    assert (counts.changed, counts.events) == (0, 1)
    assert consent_of(warehouse) == (True, "granted", "DE", "denied", "DE")


def test_before_the_first_load_there_is_nothing_to_do(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    seed(crm, 1, MORNING)

    counts = sync(warehouse, hook, crm_policy)

    assert counts == SyncCounts()
    assert searches(crm) == 0


def test_a_sync_waits_for_a_load_that_is_on_and_is_not_undone_by_it(
    crm: RunningCrm, warehouse: psycopg.Connection, warehouse_url: str, hook: HubSpotHook, crm_policy: Crm
) -> None:
    seed(crm, 1, MORNING)
    load(warehouse, hook, crm_policy)
    seed(crm, 1, NOON)
    has_read, may_write = threading.Event(), threading.Event()

    class Slow(HubSpotHook):
        def iter_contacts(self, **options: Any) -> Any:  # the archived ones, read when the living are
            has_read.set()
            assert may_write.wait(30)
            yield from super().iter_contacts(**options)

    def nightly() -> None:
        with psycopg.connect(warehouse_url) as connection:
            load_contacts(
                connection,
                Slow("crm", policy=crm_policy),
                crm_policy,
                CONSENT,
                dag_id="customer_data",
                run_id="n2",
                day="2026-11-21",
            )

    night = threading.Thread(target=nightly)
    night.start()
    assert has_read.wait(30)
    seed(crm, 1, EVENING, hs_email_optout="true")
    hour = threading.Thread(target=lambda: sync(warehouse, hook, crm_policy))
    hour.start()
    _wait_for_the_lock(warehouse_url)
    may_write.set()
    for thread in (night, hour):
        thread.join(30)

    assert consent_of(warehouse) == (True, "granted", "DE", "denied", "DE")


def _wait_for_the_lock(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as watcher:
        for _ in range(10_000):
            row = watcher.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted").fetchone()
            if row and row[0]:
                return
    raise AssertionError("the sync did not wait for the load")


def prepare_message(crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, policy: Crm, *, lane: str) -> str:
    """A message that waits for contact 1, who may be written to as of the last load; returns the person's id."""
    from campaign_night import GROUP, LABELS, PropertyDefinition

    hook.ensure_properties([PropertyDefinition(name, label) for name, label in LABELS.items()], group=GROUP)
    seed(crm, 1, MORNING)
    load(warehouse, hook, policy)
    for name, origin in (("copy-ai", "model"), ("copy-static", "static")):
        add_copy(warehouse, name, origin=origin)
    add_messages(warehouse, "2026-11-20", lane=lane)
    [row] = warehouse.execute("SELECT person_id FROM ops.message").fetchall()
    return str(row[0])


def test_a_withdrawal_that_only_the_sync_saw_means_no_push(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    person = prepare_message(crm, warehouse, hook, crm_policy, lane="ready")
    seed(crm, 1, NOON, consent_status="withdrawn")
    sync(warehouse, hook, crm_policy)
    seed(crm, 1, EVENING)  # somebody sets the record back, but nobody agreed anew

    counts = push(warehouse, hook, crm_policy)

    assert (counts.pushed, counts.suppressed, crm.writes(MESSAGE_ID)) == (0, 1, [])
    assert reason_of(warehouse, person) == ("suppressed", "consent was withdrawn (ops.consent_event)")


@pytest.mark.parametrize("is_synced", [True, False])
def test_a_withdrawal_between_approval_and_push_means_no_push(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm, is_synced: bool
) -> None:
    person = prepare_message(crm, warehouse, hook, crm_policy, lane="approval")
    warehouse.execute(
        "INSERT INTO ops.approval (campaign, day, copy_id, decision, reviewer, decided_at, run_id)"
        " SELECT campaign, day, copy_id, 'approved', 'robin', now(), 'run-1' FROM ops.message"
    )
    warehouse.commit()
    unsubscribe(hook, 1, 101)
    if is_synced:
        sync(warehouse, hook, crm_policy)

    counts = push(warehouse, hook, crm_policy, lane="approval")

    assert (counts.pushed, counts.suppressed, crm.writes(MESSAGE_ID)) == (0, 1, [])
    assert reason_of(warehouse, person)[0] == "suppressed"


def test_the_dag_syncs_and_names_nobody(
    crm: RunningCrm,
    warehouse: psycopg.Connection,
    warehouse_url: str,
    hook: HubSpotHook,
    crm_policy: Crm,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", warehouse_url)
    seed(crm, 1, MORNING)
    load(warehouse, hook, crm_policy)
    seed(crm, 1, NOON, hs_email_optout="true")
    dag = dag_bag().dags["consent_sync"]

    counts = dag.get_task("sync_consent").execute({"dag": dag, "run_id": "hour"})

    assert (counts["contacts"], counts["changed"], counts["events"]) == (1, 1, 1)
    assert counts["watermark"] == "2026-11-20T12:00:00+00:00"
    assert (dag.catchup, dag.max_active_runs) == (False, 1)
    assert "Annika" not in caplog.text
    assert "@example.com" not in caplog.text
