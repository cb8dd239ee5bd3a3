"""Each message once, although the CRM's answer to a write was lost: it is read back."""

import threading
import time
from collections.abc import Mapping
from typing import Any

import psycopg
import pytest
from campaign_night import MESSAGE_ID, most_writes, prepare, push, reason_of, states

from nurture.errors import OutcomeUnknown, TransientError
from nurture.hooks.hubspot import HubSpotHook
from nurture.ledger.destination import BatchResult
from nurture.policy import Crm
from sandbox.crm.server import RunningCrm

pytestmark = pytest.mark.slow  # faults, and the waits that they ask for

UPDATE = "/batch/update$"
READ = "/batch/read$"


@pytest.mark.parametrize(
    ("trouble", "requests"),
    [
        ({"close_after_write": True}, 1),
        ({"status": 500, "after_write": True}, 1),
        ({"status": 200, "body": "<html>gateway</html>", "after_write": True}, 1),
        ({"close_before_write": True}, 2),
        ({"status": 503}, 2),
        ({"status": 500, "times": 3}, 4),
    ],
)
def test_a_lost_answer_is_settled_by_reading_back(
    crm: RunningCrm,
    warehouse: psycopg.Connection,
    hook: HubSpotHook,
    crm_policy: Crm,
    trouble: dict[str, Any],
    requests: int,
) -> None:
    prepare(warehouse, crm, hook, 60)
    crm.fault(UPDATE, **trouble)

    counts = push(warehouse, hook, crm_policy)

    assert (counts.pushed, counts.unknown, counts.batches) == (60, 0, requests)
    assert counts.settled == (60 if requests == 1 else 0)
    assert states(warehouse) == {"confirmed": 60}
    assert len(crm.writes(MESSAGE_ID)) == 60
    assert most_writes(crm) == 1


def test_a_write_that_arrives_late_is_waited_for(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 5)

    class WritesLate(HubSpotHook):
        def batch_update(self, inputs: Mapping[str, Mapping[str, str]], **_options: Any) -> BatchResult:
            threading.Timer(0.5, super().batch_update, [inputs]).start()
            raise OutcomeUnknown("the request timed out, and the CRM is still at it")

    counts = push(
        warehouse, WritesLate("crm", policy=crm_policy), crm_policy.model_copy(update={"settle_after_seconds": 1.5})
    )

    assert (counts.pushed, counts.settled, counts.batches) == (5, 5, 1)
    assert most_writes(crm) == 1


def test_a_crm_that_never_answers_a_write_ends_the_attempt_and_the_next_one_settles_it(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 10)
    crm.fault(UPDATE, status=500, times=None)
    with pytest.raises(TransientError, match="no answer was seen in 5 rounds"):
        push(warehouse, hook, crm_policy)
    between = states(warehouse)
    crm.admin("faults", method="DELETE")

    counts = push(warehouse, hook, crm_policy, run_id="run-2")

    assert between == {"unknown": 10}
    assert (counts.pushed, states(warehouse)) == (10, {"confirmed": 10})
    assert most_writes(crm) == 1


def test_every_row_says_in_words_why_it_is_where_it_is(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 1)
    crm.fault(UPDATE, close_before_write=True)
    with pytest.raises(TransientError):
        push(warehouse, hook, crm_policy.model_copy(update={"max_attempts": 1}))
    lost = reason_of(warehouse, "p0001")
    crm.fault(READ, status=500, skip=1, times=None)
    with pytest.raises(TransientError):
        push(warehouse, hook, crm_policy)
    again = reason_of(warehouse, "p0001")

    assert lost[0] == "unknown"
    assert "no usable answer to a write; read the records back" in lost[1]
    assert again[0] == "claimed"
    assert again[1].startswith("claimed again, not sent yet; before: not in the CRM")


def test_a_night_that_is_done_is_repeated_in_one_look(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 300)
    push(warehouse, hook, crm_policy)
    crm.admin("requests", method="DELETE")
    started = time.monotonic()

    push(warehouse, hook, crm_policy)

    assert crm.admin("requests")["last"] == []
    assert time.monotonic() - started < 1
