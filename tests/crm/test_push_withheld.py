"""The push asks once more right before it writes: whom it leaves alone, and which copy goes out."""

import psycopg
import pytest
from campaign_night import (
    CAMPAIGN,
    DAY,
    MESSAGE_ID,
    id_of,
    prepare,
    push,
    reason_of,
    states,
)

from nurture.errors import TransientError
from nurture.hooks.hubspot import HubSpotHook
from nurture.policy import Crm
from sandbox.crm.server import RunningCrm

READ = "/batch/read$"


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
