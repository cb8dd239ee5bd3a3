"""The push against the sandbox CRM: what is written, what is withheld, what the vendor refuses."""

import json

import psycopg
import pytest
from campaign_night import (
    CAMPAIGN,
    DAY,
    MESSAGE_ID,
    OUTPUT,
    SLOT,
    add_copy,
    add_messages,
    id_of,
    most_writes,
    prepare,
    push,
    push_letters,
    reason_of,
    states,
)

from nurture.errors import TerminalError, TransientError
from nurture.hooks.hubspot import HubSpotHook
from nurture.ledger.accounting import account
from nurture.operators.push_to_crm import LABELS, PushToCrmOperator
from nurture.policy import Crm
from sandbox.crm.server import RunningCrm

UPDATE = "/batch/update$"
READ = "/batch/read$"


def letters(warehouse: psycopg.Connection) -> dict[str, str]:
    rows = warehouse.execute("SELECT key, reason FROM ops.dead_letter WHERE source = 'crm.push'").fetchall()
    warehouse.commit()
    return dict(rows)


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


def test_consent_withdrawn_since_the_load_means_no_push(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 5)
    crm.seed(
        [
            {"id": 1, "properties": {"consent_status": "granted", "hs_email_optout": "true"}},
            {"id": 2, "properties": {"consent_status": "Withdrawn"}},
            {"id": 3, "properties": {}},
        ]
    )

    counts = push(warehouse, hook, crm_policy)

    assert (counts.pushed, counts.suppressed) == (2, 3)
    assert {write["contact_id"] for write in crm.writes(MESSAGE_ID)} == {"4", "5"}
    assert reason_of(warehouse, "p0001") == ("suppressed", "opted out in the CRM, as read right before the push")
    assert reason_of(warehouse, "p0002")[1].startswith("consent denied")
    assert reason_of(warehouse, "p0003")[1].startswith("no opt-in")


def test_a_withdrawal_in_the_middle_of_the_run_stops_the_batches_after_it(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 20)

    class WithdrawsAfterTheFirstBatch(HubSpotHook):
        def batch_update(self, inputs, **options):  # type: ignore[no-untyped-def]
            result = super().batch_update(inputs, **options)
            crm.seed([{"id": 15, "properties": {"hs_email_optout": "true"}}])
            return result

    counts = push(
        warehouse, WithdrawsAfterTheFirstBatch("crm", policy=crm_policy), crm_policy.model_copy(update={"batch_size": 10})
    )

    assert (counts.pushed, counts.suppressed) == (19, 1)
    assert "15" not in {write["contact_id"] for write in crm.writes(MESSAGE_ID)}


def test_a_suppressed_slot_stays_suppressed_when_consent_returns(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 1, hs_email_optout="true")
    push(warehouse, hook, crm_policy)
    crm.seed([{"id": 1, "properties": {"consent_status": "granted"}}])

    counts = push(warehouse, hook, crm_policy)

    assert (counts.pushed, states(warehouse)) == (0, {"suppressed": 1})


def test_where_no_opt_in_is_needed_unknown_consent_does_not_stop_a_push(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 1, region="US-CA", consent_status="")

    counts = push(warehouse, hook, crm_policy)

    assert counts.pushed == 1


def test_consent_that_cannot_be_read_stops_the_push_and_keeps_the_messages_for_the_next_attempt(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 3)
    crm.fault(READ, status=500, times=crm_policy.max_attempts)
    with pytest.raises(TransientError):
        push(warehouse, hook, crm_policy)
    nothing = crm.writes(MESSAGE_ID), states(warehouse)

    counts = push(warehouse, hook, crm_policy)

    assert nothing == ([], {"claimed": 3})
    assert counts.pushed == 3


def test_what_the_warehouse_learned_since_the_message_was_made_withholds_it(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 5)
    warehouse.execute("UPDATE marts.audience SET suppressed_reason = 'opted_out' WHERE person_id = 'p0001'")
    warehouse.execute("UPDATE marts.person SET merged_into = 'p0005', crm_id = NULL WHERE person_id = 'p0002'")
    warehouse.execute("UPDATE marts.person SET crm_id = NULL WHERE person_id = 'p0003'")
    warehouse.execute(
        "INSERT INTO ops.consent_event (person_id, status, happened_at, source) VALUES"
        " ('p0004', 'granted', '2026-01-01Z', 'form'), ('p0004', 'denied', '2026-11-20Z', 'unsubscribe page')"
    )
    warehouse.commit()

    counts = push(warehouse, hook, crm_policy)

    assert (counts.pushed, counts.suppressed) == (1, 4)
    reasons = [reason_of(warehouse, f"p000{n}")[1] for n in (1, 2, 3, 4)]
    assert [reason.split(":")[0] for reason in reasons] == [
        "not in the audience any more",
        "merged into another person, who has slots of their own",
        "no living CRM contact",
        "consent was withdrawn (ops.consent_event)",
    ]


def test_contacts_that_left_the_crm_are_rejected_and_found_in_the_dead_letters(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 4)
    crm.seed([{"id": 1, "properties": {}, "archived": True}])
    hook._call("POST", "/crm/v3/objects/contacts/merge", json={"primaryObjectId": "3", "objectIdToMerge": "2"})

    counts = push(warehouse, hook, crm_policy)

    assert (counts.pushed, counts.rejected) == (2, 2)
    assert all(push_letters(warehouse).values())
    assert set(letters(warehouse)) == {f"{CAMPAIGN}/p0001/{SLOT}", f"{CAMPAIGN}/p0002/{SLOT}"}
    assert "left the CRM" in reason_of(warehouse, "p0002")[1]


def test_one_refused_record_is_found_by_halving_and_the_rest_is_written(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 100)
    too_long = add_copy(warehouse, "copy-long", output=OUTPUT | {"body": "x" * 70_000})
    warehouse.execute("UPDATE ops.message SET copy_id = %s WHERE person_id = 'p0042'", (too_long,))
    warehouse.commit()

    counts = push(warehouse, hook, crm_policy)

    assert (counts.pushed, counts.rejected) == (99, 1)
    assert counts.batches < 16
    assert reason_of(warehouse, "p0042")[0] == "rejected"
    assert "VALIDATION_ERROR" in letters(warehouse)[f"{CAMPAIGN}/p0042/{SLOT}"]
    assert "xxx" not in reason_of(warehouse, "p0042")[1]
    assert most_writes(crm) == 1


def test_a_conflict_that_passes_costs_nobody_the_message(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 10)
    crm.fault(UPDATE, status=409, times=3)

    counts = push(warehouse, hook, crm_policy)

    assert (counts.pushed, counts.rejected, states(warehouse)) == (10, 0, {"confirmed": 10})
    assert most_writes(crm) == 1


def test_a_record_that_is_archived_between_the_reading_and_the_writing_is_rejected_alone(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 5)

    class ArchivesBeforeTheWrite(HubSpotHook):
        def batch_update(self, inputs, **options):  # type: ignore[no-untyped-def]
            crm.seed([{"id": 3, "properties": {}, "archived": True}])
            return super().batch_update(inputs, **options)

    counts = push(warehouse, ArchivesBeforeTheWrite("crm", policy=crm_policy), crm_policy)

    assert (counts.pushed, counts.rejected, counts.batches) == (4, 1, 1)
    assert reason_of(warehouse, "p0003")[1].startswith("OBJECT_NOT_FOUND")


def test_a_rejected_message_is_tried_again_by_the_next_attempt_only(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 1)
    crm.fault(UPDATE, status=409)
    first = push(warehouse, hook, crm_policy)

    second = push(warehouse, hook, crm_policy, run_id="run-2")

    assert (first.rejected, second.pushed) == (1, 1)
    assert push_letters(warehouse) == {f"{CAMPAIGN}/p0001/{SLOT}": False}
    row = warehouse.execute("SELECT state, attempts, run_id FROM ops.push_ledger").fetchone()
    assert row == ("confirmed", 2, "run-2")


def test_copy_that_lacks_a_part_is_rejected_alone(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 3)
    half = add_copy(warehouse, "copy-half", output={"headline": "Only this"})
    warehouse.execute("UPDATE ops.message SET copy_id = %s WHERE person_id = 'p0002'", (half,))
    warehouse.commit()

    counts = push(warehouse, hook, crm_policy)

    assert (counts.pushed, counts.rejected) == (2, 1)
    assert "lacks body, cta" in reason_of(warehouse, "p0002")[1]


def test_a_rate_limit_that_does_not_end_keeps_what_is_done_and_the_retry_does_the_rest(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 30)
    small = crm_policy.model_copy(update={"batch_size": 10})
    crm.fault(UPDATE, status=429, skip=1, times=crm_policy.max_attempts, headers={"Retry-After": "0"})
    with pytest.raises(TransientError, match="429"):
        push(warehouse, hook, small)
    between = states(warehouse)

    counts = push(warehouse, hook, small)

    assert between == {"confirmed": 10, "claimed": 10}
    assert (counts.pushed, counts.already_sent) == (20, 10)
    assert most_writes(crm) == 1


def test_an_expired_token_stops_the_push_and_loses_nothing(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 10)
    crm.fault(UPDATE, status=401)
    with pytest.raises(TerminalError, match="token"):
        push(warehouse, hook, crm_policy)

    counts = push(warehouse, hook, crm_policy)

    assert (counts.pushed, counts.batches) == (10, 1)


@pytest.mark.parametrize(
    ("decision", "pushed_copy"),
    [("approved", "copy-ai"), ("rejected", "copy-static"), ("timed_out", "copy-static"), (None, "copy-static")],
)
def test_flagged_copy_goes_out_only_when_somebody_approved_it(
    crm: RunningCrm,
    warehouse: psycopg.Connection,
    hook: HubSpotHook,
    crm_policy: Crm,
    decision: str | None,
    pushed_copy: str,
) -> None:
    prepare(warehouse, crm, hook, 2, lane="approval")
    if decision:
        warehouse.execute(
            "INSERT INTO ops.approval (campaign, day, copy_id, decision, decided_at, run_id)"
            " VALUES (%s, %s, %s, %s, now(), 'run-1')",
            (CAMPAIGN, DAY, id_of(warehouse, "copy-ai"), decision),
        )
        warehouse.commit()

    ready = push(warehouse, hook, crm_policy, lane="ready")
    counts = push(warehouse, hook, crm_policy, lane="approval")

    assert (ready.pushed, counts.pushed) == (0, 2)
    [row] = warehouse.execute("SELECT DISTINCT copy_id, message_id FROM ops.push_ledger").fetchall()
    in_message = warehouse.execute("SELECT DISTINCT message_id FROM ops.message").fetchone()
    assert row[0] == id_of(warehouse, pushed_copy)
    assert (in_message == (row[1],)) == (pushed_copy == "copy-ai")
    assert {write["value"] for write in crm.writes(MESSAGE_ID)} == {row[1]}


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
