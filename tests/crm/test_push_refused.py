"""The push when the CRM refuses: a record, a batch, the caller. The rest is written."""

import psycopg
import pytest
from campaign_night import (
    CAMPAIGN,
    OUTPUT,
    SLOT,
    add_copy,
    most_writes,
    prepare,
    push,
    push_letters,
    reason_of,
    states,
)

from nurture.dead_letters.letters import settle
from nurture.errors import TerminalError, TransientError
from nurture.hooks.hubspot import HubSpotHook
from nurture.policy import Crm
from sandbox.crm.server import RunningCrm

UPDATE = "/batch/update$"


def letters(warehouse: psycopg.Connection) -> dict[str, str]:
    rows = warehouse.execute("SELECT key, reason FROM ops.dead_letter WHERE source = 'crm.push'").fetchall()
    warehouse.commit()
    return dict(rows)


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
    settle(warehouse)

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
