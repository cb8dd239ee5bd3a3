"""The push against the sandbox CRM: what is written, once, and that everybody is accounted for."""

import json

import psycopg
import pytest
from campaign_night import (
    CAMPAIGN,
    DAY,
    MESSAGE_ID,
    add_copy,
    add_messages,
    prepare,
    push,
    states,
)

from nurture.hooks.hubspot import HubSpotHook
from nurture.ledger.accounting import account
from nurture.operators.push_to_crm import LABELS, PushToCrmOperator
from nurture.policy import Crm
from sandbox.crm.server import RunningCrm


def test_copy_arrives_on_contacts_with_placeholders_filled(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 250)

    counts = push(warehouse, hook, crm_policy)

    written = hook.batch_read(["1", "250"], list(LABELS))
    assert (counts.pushed, counts.batches, counts.suppressed, counts.rejected, counts.unknown) == (250, 3, 0, 0, 0)
    assert states(warehouse) == {"confirmed": 250}
    assert {name: written["250"].properties[name] for name in LABELS if name not in (MESSAGE_ID, "nurture_send_after")} == {
        "nurture_subject": "Count less, Annika",
        "nurture_body": "Made for Nordlicht. No {surprise}.",
        "nurture_cta": "See how",
        "nurture_campaign": CAMPAIGN,
        "nurture_template": "lead_nurture@v3",
    }
    row = warehouse.execute("SELECT DISTINCT message_id FROM ops.push_ledger").fetchall()
    assert row == [(written["1"].properties[MESSAGE_ID],)]


def test_a_second_push_of_any_run_or_day_writes_nothing(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 30)
    push(warehouse, hook, crm_policy)
    add_copy(warehouse, "copy-new")
    add_messages(warehouse, "2026-11-21", copy="copy-new")

    again = push(warehouse, hook, crm_policy, run_id="run-2")
    next_day = push(warehouse, hook, crm_policy, day="2026-11-21", run_id="run-3")

    assert (again.pushed, again.already_sent, again.batches) == (0, 30, 0)
    assert (next_day.pushed, next_day.already_sent, next_day.batches) == (0, 30, 0)
    assert len(crm.writes(MESSAGE_ID)) == 30


def test_another_slot_is_another_message(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 3)
    push(warehouse, hook, crm_policy)
    add_messages(warehouse, "2026-11-27", slot="week-2026-W48")

    counts = push(warehouse, hook, crm_policy, day="2026-11-27")

    assert counts.pushed == 3
    assert states(warehouse) == {"confirmed": 6}


def test_every_message_of_a_night_is_accounted_for(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 6)
    crm.seed([{"id": 1, "properties": {"hs_email_optout": "true"}}, {"id": 2, "properties": {}, "archived": True}])
    warehouse.execute("UPDATE ops.message SET lane = 'approval' WHERE person_id = 'p0006'")
    warehouse.commit()
    push(warehouse, hook, crm_policy)

    night = account(warehouse, campaign=CAMPAIGN, day=DAY)

    assert night.messages == 6 == sum(night.states.values())
    assert {state: n for state, n in night.states.items() if n} == {
        "confirmed": 3, "suppressed": 1, "rejected": 1, "waiting": 1,
    }  # fmt: skip
    assert night.reasons["suppressed"] == {"opted out in the CRM, as read right before the push": 1}


def test_the_operator_creates_the_properties_and_names_nobody(
    crm: RunningCrm, warehouse_url: str, hook: HubSpotHook, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", warehouse_url)
    with psycopg.connect(warehouse_url) as connection:
        prepare(connection, crm, hook, 2)
    operator = PushToCrmOperator(task_id="push_ready", campaign=CAMPAIGN, lane="ready", day=DAY)

    counts = operator.execute({"run_id": "run-1"})  # type: ignore[typeddict-item]

    assert {"pushed", "already_sent", "suppressed", "rejected", "unknown", "batches", "seconds"} <= set(
        json.loads(json.dumps(counts))
    )
    assert counts["pushed"] == 2
    assert "Annika" not in caplog.text
    assert "@example.com" not in caplog.text
