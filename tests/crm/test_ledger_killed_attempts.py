"""Each message once, although an attempt was killed: the next one finishes what it left."""

from collections.abc import Mapping
from typing import Any

import psycopg
import pytest
from campaign_night import MESSAGE_ID, add_messages, merge, most_writes, prepare, push, reason_of, states

from nurture.hooks.hubspot import HubSpotHook
from nurture.ledger.destination import BatchResult
from nurture.policy import Crm
from sandbox.crm.server import RunningCrm

pytestmark = pytest.mark.slow  # faults, and the waits that they ask for


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it, and the database session ends with it."""


class KilledAround(HubSpotHook):
    """A process that dies right before or right after a write."""

    when = "before"

    def batch_update(self, inputs: Mapping[str, Mapping[str, str]], **options: Any) -> BatchResult:
        if self.when == "after":
            super().batch_update(inputs, **options)
        raise Killed


def die(url: str, hook: HubSpotHook, policy: Crm) -> None:
    """One attempt that is killed, in a session of its own."""
    connection = psycopg.connect(url)
    with pytest.raises(Killed):
        push(connection, hook, policy)
    connection.close()


def die_around_the_write(url: str, policy: Crm, when: str) -> None:
    """One attempt that is killed right before or after its write to the CRM."""
    killed = KilledAround("crm", policy=policy)
    killed.when = when
    die(url, killed, policy)


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_attempt_killed_around_the_write_is_finished_by_the_next_one(
    crm: RunningCrm, warehouse: psycopg.Connection, warehouse_url: str, hook: HubSpotHook, crm_policy: Crm, when: str
) -> None:
    prepare(warehouse, crm, hook, 10)
    die_around_the_write(warehouse_url, crm_policy, when)
    between = states(warehouse)

    counts = push(warehouse, hook, crm_policy, run_id="run-2")

    assert between == {"sent": 10}
    assert (counts.pushed, counts.settled, counts.batches) == ((10, 10, 0) if when == "after" else (10, 0, 1))
    assert len(crm.writes(MESSAGE_ID)) == 10
    assert most_writes(crm) == 1


def test_an_attempt_killed_between_claim_and_sending_is_finished_by_the_next_one(
    crm: RunningCrm, warehouse: psycopg.Connection, warehouse_url: str, hook: HubSpotHook, crm_policy: Crm
) -> None:
    class KilledWhileReadingConsent(HubSpotHook):
        def batch_read(self, *args: Any, **kwargs: Any) -> Any:
            raise Killed

    prepare(warehouse, crm, hook, 10)
    die(warehouse_url, KilledWhileReadingConsent("crm", policy=crm_policy), crm_policy)
    between = states(warehouse)

    counts = push(warehouse, hook, crm_policy, run_id="run-2")

    assert between == {"claimed": 10}
    assert counts.pushed == 10
    assert warehouse.execute("SELECT DISTINCT attempts, run_id FROM ops.push_ledger").fetchall() == [(2, "run-2")]


def test_a_message_overwritten_before_it_was_settled_is_found_in_the_history(
    crm: RunningCrm, warehouse: psycopg.Connection, warehouse_url: str, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 3)
    die_around_the_write(warehouse_url, crm_policy, "after")
    hook.batch_update({crm_id: {MESSAGE_ID: "a later message of another campaign"} for crm_id in "123"})

    counts = push(warehouse, hook, crm_policy)

    assert (counts.settled, counts.batches) == (3, 0)


def test_a_message_left_open_by_an_earlier_night_is_settled_by_a_later_one(
    crm: RunningCrm, warehouse: psycopg.Connection, warehouse_url: str, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 3)
    die_around_the_write(warehouse_url, crm_policy, "after")
    add_messages(warehouse, "2026-11-21")

    counts = push(warehouse, hook, crm_policy, day="2026-11-21", run_id="next night")

    assert (counts.settled, counts.batches, states(warehouse)) == (3, 0, {"confirmed": 3})
    assert most_writes(crm) == 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_contact_merged_before_its_message_was_settled_is_looked_up_under_its_survivor(
    crm: RunningCrm, warehouse: psycopg.Connection, warehouse_url: str, hook: HubSpotHook, crm_policy: Crm, when: str
) -> None:
    prepare(warehouse, crm, hook, 1)
    crm.seed([{"id": 50, "properties": {"email": "p50@example.com", "consent_status": "granted", MESSAGE_ID: "another"}}])
    die_around_the_write(warehouse_url, crm_policy, when)
    merge(hook, survivor=50, loser=1)
    push(warehouse, hook, crm_policy, run_id="run-2")
    between = states(warehouse)
    warehouse.execute("UPDATE marts.person SET crm_id = '50'")
    warehouse.execute("UPDATE staging.contacts SET crm_id = '50'")
    warehouse.commit()

    push(warehouse, hook, crm_policy, run_id="after the next load")

    assert between == ({"confirmed": 1} if when == "after" else {"rejected": 1})
    assert states(warehouse) == {"confirmed": 1}
    assert [write["contact_id"] for write in crm.writes(MESSAGE_ID)] == ["1" if when == "after" else "50"]


def test_a_contact_that_left_before_its_message_was_settled_is_never_written_to_again(
    crm: RunningCrm, warehouse: psycopg.Connection, warehouse_url: str, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 1)
    die_around_the_write(warehouse_url, crm_policy, "after")
    crm.seed([{"id": 1, "properties": {}, "archived": True}])
    counts = push(warehouse, hook, crm_policy, run_id="run-2")
    crm.seed([{"id": 1, "properties": {"consent_status": "granted"}}])

    push(warehouse, hook, crm_policy, run_id="after it was restored")

    assert counts.suppressed == 1
    assert "may have been written" in reason_of(warehouse, "p0001")[1]
    assert most_writes(crm) == 1
