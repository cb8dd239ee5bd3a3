"""A night that is run late sends nothing that is out of date or overtaken, and gives way to what is newer."""

from typing import Any

import psycopg
import pytest
from airflow.sdk.exceptions import AirflowFailException
from campaign_night import CAMPAIGN, DAY, MESSAGE_ID, SLOT, add_messages, prepare, push, reason_of, states

from nurture.hooks.hubspot import HubSpotHook
from nurture.ledger.accounting import account
from nurture.ledger.attempt import attempt
from nurture.operators.push_to_crm import PushToCrmOperator
from nurture.policy import Crm
from sandbox.crm.server import RunningCrm

pytestmark = pytest.mark.slow  # whole pushes to the CRM over HTTP

NEXT_DAY, NEXT_SLOT = "2026-11-24", "week-2026-W48"


def triggered(warehouse: psycopg.Connection, person_id: str, days_ago: int, *, day: str = DAY) -> None:
    """The person's trigger of that night was so many UTC days before the warehouse's today."""
    warehouse.execute(
        """
        UPDATE marts.audience
        SET trigger_at = ((clock_timestamp() AT TIME ZONE 'UTC')::date - %s + time '23:59:59') AT TIME ZONE 'UTC'
        WHERE person_id = %s AND day = %s
        """,
        (days_ago, person_id, day),
    )
    warehouse.commit()


def newer_night(warehouse: psycopg.Connection, *person_ids: str, slot: str = NEXT_SLOT, lane: str = "ready") -> None:
    """A later night has chosen a message for these people."""
    add_messages(warehouse, NEXT_DAY, slot=slot, lane=lane)
    for table in ("ops.message", "marts.audience"):
        warehouse.execute(
            f"DELETE FROM {table} WHERE day = %s AND person_id <> ALL (%s)".encode(), (NEXT_DAY, list(person_ids))
        )
    warehouse.commit()


def reached(crm: RunningCrm) -> list[str]:
    return [write["contact_id"] for write in crm.writes(MESSAGE_ID)]


def test_a_message_older_than_the_campaigns_freshness_is_superseded_and_the_ledger_says_so(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 3)
    triggered(warehouse, "p0001", 3)
    triggered(warehouse, "p0002", 4)

    counts = push(warehouse, hook, crm_policy, freshness_days=3)

    assert (counts.pushed, counts.superseded) == (2, 1)
    assert sorted(reached(crm)) == ["1", "3"]
    assert reason_of(warehouse, "p0002") == (
        "superseded",
        "the trigger is 4 days old, and lead_nurture writes within 3 days: what it says is out of date",
    )
    night = account(warehouse, campaign=CAMPAIGN, day=DAY)
    assert (night.states["confirmed"], night.states["superseded"]) == (2, 1)


def test_the_age_is_that_at_the_push_not_that_of_the_night(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    long_past = "2018-06-01"
    prepare(warehouse, crm, hook, 1)
    warehouse.execute("UPDATE ops.message SET day = %s", (long_past,))
    warehouse.execute("UPDATE marts.audience SET day = %s", (long_past,))
    triggered(warehouse, "p0001", 2, day=long_past)

    assert push(warehouse, hook, crm_policy, day=long_past).pushed == 1


def test_whoever_runs_the_night_again_with_more_patience_gets_what_was_too_old_out_once(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 1)
    triggered(warehouse, "p0001", 9)
    push(warehouse, hook, crm_policy)

    same = push(warehouse, hook, crm_policy, run_id="run-2")
    patient = push(warehouse, hook, crm_policy, run_id="run-3", freshness_days=9)
    again = push(warehouse, hook, crm_policy, run_id="run-4", freshness_days=9)

    assert [(c.pushed, c.superseded) for c in (same, patient, again)] == [(0, 1), (1, 0), (0, 0)]
    assert reached(crm) == ["1"]


def test_a_stale_message_does_not_take_the_slot_from_a_fresh_one_of_the_same_week(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 2)
    for person_id in ("p0001", "p0002"):
        triggered(warehouse, person_id, 8)
    push(warehouse, hook, crm_policy)
    newer_night(warehouse, "p0001", slot=SLOT)

    newer = push(warehouse, hook, crm_policy, day=NEXT_DAY, run_id="run-2")
    older_again = push(warehouse, hook, crm_policy, run_id="run-3")

    assert (newer.pushed, older_again.pushed, older_again.superseded) == (1, 0, 1)
    assert (reached(crm), states(warehouse)) == (["1"], {"confirmed": 1, "superseded": 1})


def test_a_newer_message_that_waits_for_approval_supersedes_the_older_one_in_whatever_slot(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 3)
    newer_night(warehouse, "p0001", "p0002", lane="approval")
    warehouse.execute("UPDATE ops.message SET slot = %s WHERE person_id = 'p0002' AND day = %s", (SLOT, NEXT_DAY))
    warehouse.commit()

    older = push(warehouse, hook, crm_policy)
    again = push(warehouse, hook, crm_policy, run_id="again")
    reasons = [reason_of(warehouse, person_id) for person_id in ("p0001", "p0002")]
    newer = push(warehouse, hook, crm_policy, day=NEXT_DAY, lane="approval", run_id="run-2")

    assert (older.pushed, older.superseded, again.pushed, again.superseded, newer.pushed) == (1, 2, 0, 2, 2)
    assert reasons == [("superseded", f"a message of a later night waits for approval: day {NEXT_DAY}")] * 2
    assert sorted(reached(crm)) == ["1", "2", "3"]
    one = warehouse.execute("SELECT slot, day::text, state FROM ops.push_ledger WHERE person_id = 'p0002'").fetchall()
    assert one == [(SLOT, NEXT_DAY, "confirmed")]


def test_a_newer_message_whose_night_ended_without_it_supersedes_nothing(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 1)
    newer_night(warehouse, "p0001", lane="approval")
    warehouse.execute(
        "INSERT INTO ops.run_report (dag_id, run_id, day, outcome, report) VALUES (%s, 'r', %s, 'stopped', '{}')",
        (CAMPAIGN, NEXT_DAY),
    )
    warehouse.commit()

    assert push(warehouse, hook, crm_policy).pushed == 1


@pytest.mark.parametrize(("state", "pushed"), [("suppressed", 1), ("superseded", 1), ("rejected", 1), ("confirmed", 0)])
def test_only_a_newer_message_that_was_sent_overtakes_one_in_another_slot(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm, state: str, pushed: int
) -> None:
    prepare(warehouse, crm, hook, 1)
    newer_night(warehouse, "p0001")
    push(warehouse, hook, crm_policy, day=NEXT_DAY)
    warehouse.execute("UPDATE ops.push_ledger SET state = %s", (state,))
    warehouse.commit()

    counts = push(warehouse, hook, crm_policy, run_id="late")

    assert (counts.pushed, counts.superseded) == (pushed, 1 - pushed)


def test_an_overtaken_message_does_not_keep_the_twin_of_the_same_address_from_its_own(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 2)
    warehouse.execute("UPDATE staging.contacts SET email = 'both@example.com'")
    triggered(warehouse, "p0001", 8)

    counts = push(warehouse, hook, crm_policy)

    assert (counts.pushed, counts.superseded) == (1, 1)
    assert reached(crm) == ["2"]


def test_a_newer_message_waits_until_an_older_one_in_flight_has_landed_for_two_at_once_may_swap(
    crm: RunningCrm, warehouse: psycopg.Connection, warehouse_url: str, hook: HubSpotHook, crm_policy: Crm,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    prepare(warehouse, crm, hook, 1)
    newer_night(warehouse, "p0001")
    with (
        psycopg.connect(warehouse_url) as session,
        attempt(session, campaign=CAMPAIGN, lane="ready", day=DAY, run_id="backfill") as backfill,
    ):
        [older] = backfill.claim([("p0001", SLOT)])
        backfill.move("sent", {older.key: "going out"})

        in_vain = push(warehouse, hook, crm_policy, day=NEXT_DAY)
        monkeypatch.setattr("nurture.ledger.push.time.sleep", lambda _: backfill.move("confirmed", {older.key: "landed"}))
        in_time = push(warehouse, hook, crm_policy, day=NEXT_DAY, run_id="again")

    assert [(counts.pushed, counts.waiting) for counts in (in_vain, in_time)] == [(0, 1), (1, 0)]


@pytest.mark.parametrize(("asked", "pushed"), [(None, 0), (20, 1)])
def test_the_operator_takes_the_campaigns_freshness_unless_its_run_was_given_another(
    crm: RunningCrm, warehouse_url: str, hook: HubSpotHook, monkeypatch: pytest.MonkeyPatch, asked: int | None, pushed: int
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", warehouse_url)
    with psycopg.connect(warehouse_url) as connection:
        prepare(connection, crm, hook, 1)
        triggered(connection, "p0001", 15)
    operator = PushToCrmOperator(task_id="push", campaign=CAMPAIGN, lane="ready", day=DAY, freshness_days=14)
    context: Any = {"run_id": "run-1", "params": {"freshness_days": asked}}

    assert operator.execute(context)["pushed"] == pushed


@pytest.mark.parametrize("asked", ["30", 0, True, 1_000_000, 2.5])
def test_a_freshness_that_is_no_number_of_days_pushes_nothing(
    crm: RunningCrm, warehouse_url: str, hook: HubSpotHook, monkeypatch: pytest.MonkeyPatch, asked: object
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", warehouse_url)
    with psycopg.connect(warehouse_url) as connection:
        prepare(connection, crm, hook, 1)
    operator = PushToCrmOperator(task_id="push", campaign=CAMPAIGN, lane="ready", day=DAY)
    context: Any = {"run_id": "run-1", "params": {"freshness_days": asked}}

    with pytest.raises(AirflowFailException, match="expected a whole number of days"):
        operator.execute(context)

    assert reached(crm) == []


def test_nights_are_as_fresh_as_their_campaign_says() -> None:
    from dags_under_test import dag_bag

    dag = dag_bag().dags["lead_nurture"]

    assert {dag.get_task(name).freshness_days for name in ("push_ready", "push_approved")} == {7}
    assert dag.params["freshness_days"] is None
