"""A dry run: all but the effect, and what would have been written."""

from collections.abc import Sequence
from typing import Any

import psycopg
import pytest
from campaign_night import CAMPAIGN, DAY, OUTPUT, prepare, push, states

from nurture.hooks.hubspot import HubSpotHook
from nurture.ledger.attempt import attempt
from nurture.ledger.dry_run import DryRun, DryRunCounts
from nurture.operators.approve_copy import ApproveCopyOperator
from nurture.operators.push_to_crm import LABELS, PushToCrmOperator
from nurture.policy import Crm, load_policy
from nurture.privacy.data_map import load_data_map
from nurture.privacy.retention import apply_retention
from sandbox.crm.server import RunningCrm

pytestmark = pytest.mark.slow  # whole pushes to the CRM over HTTP

POLICY = load_policy()


def rehearse(
    warehouse: psycopg.Connection,
    hook: HubSpotHook,
    policy: Crm,
    *,
    lane: str = "ready",
    run_id: str = "dry",
    outputs: Sequence[str] = (),
) -> DryRunCounts:
    operator = PushToCrmOperator(task_id="push", campaign=CAMPAIGN, lane=lane, day=DAY)
    with attempt(warehouse, campaign=CAMPAIGN, lane=lane, day=DAY, run_id=run_id) as mine:
        rehearsal = DryRun(mine, hook, operator.compose, policy, POLICY.consent, list(LABELS), outputs)
        return rehearsal.run(dag_id=CAMPAIGN)


def kept(warehouse: psycopg.Connection) -> dict[str, tuple[str, str, Any]]:
    """Outcome, reason and changes by CRM id."""
    rows = warehouse.execute("SELECT crm_id, outcome, reason, changes FROM ops.dry_run").fetchall()
    warehouse.commit()
    return {crm_id: (outcome, reason, changes) for crm_id, outcome, reason, changes in rows}


def effects(warehouse: psycopg.Connection, crm: RunningCrm) -> list[Any]:
    tables = ("ops.push_ledger", "ops.dead_letter", "ops.consent_event", "ops.approval")
    counts = [warehouse.execute(f"SELECT count(*) FROM {table}".encode()).fetchone() for table in tables]
    warehouse.commit()
    return [*counts, *(crm.writes(name) for name in LABELS)]


def test_a_dry_run_claims_nothing_writes_nothing_and_says_what_it_would_have(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 250, nurture_subject="An old subject", nurture_campaign=CAMPAIGN)
    before = effects(warehouse, crm)

    counts = rehearse(warehouse, hook, crm_policy)

    assert counts == DryRunCounts(written=250)
    assert effects(warehouse, crm) == before
    outcome, _, changes = kept(warehouse)["250"]
    assert outcome == "written"
    assert changes["nurture_subject"] == ["An old subject", "Count less, Annika"]
    assert changes["nurture_body"] == [None, "Made for Nordlicht. No {surprise}."]
    assert "nurture_campaign" not in changes, "what stays as it is is no change"


def test_a_dry_run_names_the_notes_and_tasks_that_would_follow(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 1)

    rehearse(warehouse, hook, crm_policy, outputs=["note", "task"])

    assert kept(warehouse)["1"][:2] == ("written", "would be written now, and a note, and a task")


def test_the_push_after_a_dry_run_writes_just_what_it_said(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 3)
    rehearse(warehouse, hook, crm_policy)

    counts = push(warehouse, hook, crm_policy)

    assert counts.pushed == 3
    written = hook.batch_read(["1", "2", "3"], list(LABELS))
    for crm_id, (_, _, changes) in kept(warehouse).items():
        for name, (_, planned) in changes.items():
            if name != "nurture_send_after":  # the clock's
                assert written[crm_id].properties[name] == planned


def test_a_dry_run_says_of_whom_nothing_would_be_written_and_why(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 5)
    crm.seed([{"id": 1, "properties": {"hs_email_optout": "true"}}, {"id": 2, "properties": {}, "archived": True}])
    warehouse.execute("UPDATE marts.audience SET suppressed_reason = 'frequency_cap' WHERE person_id = 'p0003'")
    warehouse.execute("UPDATE marts.audience SET trigger_at = '2020-01-01Z' WHERE person_id = 'p0004'")
    warehouse.commit()

    counts = rehearse(warehouse, hook, crm_policy)

    assert counts == DryRunCounts(written=1, suppressed=2, superseded=1, rejected=1)
    told = kept(warehouse)
    assert {crm_id: row[0] for crm_id, row in told.items()} == {
        "1": "suppressed", "2": "rejected", "3": "suppressed", "4": "superseded", "5": "written",
    }  # fmt: skip
    assert "opted out" in told["1"][1]
    assert "left the CRM" in told["2"][1]
    assert "frequency_cap" in told["3"][1]
    assert [row[2] for crm_id, row in told.items() if crm_id != "5"] == [{}] * 4


def test_what_was_sent_before_is_left_alone_and_a_second_dry_run_replaces_the_first(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 3)
    rehearse(warehouse, hook, crm_policy)
    push(warehouse, hook, crm_policy)

    again = rehearse(warehouse, hook, crm_policy)

    assert again == DryRunCounts(already_sent=3)
    assert kept(warehouse) == {}
    assert states(warehouse) == {"confirmed": 3}


def test_flagged_copy_that_nobody_decided_on_is_shown_as_the_static_copy_that_would_stand_in(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 1, lane="approval")

    rehearse(warehouse, hook, crm_policy, lane="approval")

    assert kept(warehouse)["1"][2]["nurture_cta"] == [None, OUTPUT["cta"]]


def test_a_dry_run_asks_nobody_about_flagged_copy_and_decides_nothing(
    crm: RunningCrm, warehouse: psycopg.Connection, warehouse_url: str, hook: HubSpotHook, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(warehouse, crm, hook, 2, lane="approval")
    warehouse.execute("UPDATE ops.copy SET verdict = 'flagged' WHERE origin = 'model'")
    warehouse.commit()
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", warehouse_url)
    before = effects(warehouse, crm)

    answer = ApproveCopyOperator(task_id="approve", campaign=CAMPAIGN, day=DAY).execute(
        {"params": {"dry_run": True}, "run_id": "r"}  # type: ignore[typeddict-item]
    )

    assert answer == {"flagged": 1, "dry_run": True}
    assert effects(warehouse, crm) == before


def test_what_a_dry_run_left_goes_after_a_week_by_the_retention(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 2)
    rehearse(warehouse, hook, crm_policy, run_id="old")
    warehouse.execute(
        "UPDATE ops.dry_run SET made_at = now() - CASE person_id WHEN 'p0001' THEN interval '8 days' ELSE '6 days' END"
    )
    warehouse.commit()
    rehearse(warehouse, hook, crm_policy)

    gone = apply_retention(warehouse, load_data_map())

    rows = warehouse.execute("SELECT run_id, person_id FROM ops.dry_run ORDER BY 1, 2").fetchall()
    assert gone["ops.dry_run"] == 1
    assert rows == [("dry", "p0001"), ("dry", "p0002"), ("old", "p0002")]


def test_the_task_of_a_dry_run_keeps_no_personal_data_in_its_answer(
    crm: RunningCrm, warehouse: psycopg.Connection, warehouse_url: str, hook: HubSpotHook, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(warehouse, crm, hook, 2)
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", warehouse_url)
    before = effects(warehouse, crm)
    operator = PushToCrmOperator(task_id="push_ready", campaign=CAMPAIGN, lane="ready", day=DAY)

    class Dag:
        dag_id = CAMPAIGN

    answer = operator.execute({"params": {"dry_run": True}, "dag": Dag, "run_id": "r"})  # type: ignore[typeddict-item]

    assert answer == {
        "written": 2, "suppressed": 0, "superseded": 0, "rejected": 0, "already_sent": 0, "dry_run": True,
    }  # fmt: skip
    assert effects(warehouse, crm) == before
