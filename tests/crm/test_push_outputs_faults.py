"""Each note once, whatever breaks: lost answers, a worker that dies at any boundary, attempts at the same time."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from crm_connection import connect
from output_night import confirmed_night, keys_of, on_timeline, output_reason, output_states, write

from nurture.errors import TransientError
from nurture.hooks.hubspot import HubSpotHook
from nurture.hooks.hubspot_engagements import HubSpotEngagements
from nurture.ledger.output_rows import OutputRows
from nurture.policy import Crm
from sandbox.crm.server import RunningCrm

pytestmark = pytest.mark.slow  # faults, and the waits that they ask for

CREATE = "notes/batch/create$"
BOUNDARIES = [(OutputRows, name) for name in ("take_over", "claim", "move", "still_holds")] + [
    (HubSpotEngagements, name) for name in ("batch_read", "create", "find")
]


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it, and the database session ends with it."""


@contextmanager
def dying_at(boundary: int) -> Iterator[list[str]]:
    """Let the process die at the `boundary`-th begin or end of a step; yields the steps that were passed."""
    passed: list[str] = []

    def pass_or_die(what: str) -> None:
        passed.append(what)
        if len(passed) == boundary:
            raise Killed

    def watched(name: str, step: Callable[..., Any]) -> Callable[..., Any]:
        def run(*given: Any, **options: Any) -> Any:
            pass_or_die(f"before {name}")
            result = step(*given, **options)
            pass_or_die(f"after {name}")
            return result

        return run

    with pytest.MonkeyPatch.context() as patch:
        for owner, name in BOUNDARIES:
            patch.setattr(owner, name, watched(name, getattr(owner, name)))
        yield passed


def is_killed_at(boundary: int, url: str, attempt: Callable[[psycopg.Connection], Any]) -> bool:
    """Whether `attempt`, in a session of its own, died at the boundary; False when it ended before."""
    connection = psycopg.connect(url)
    with dying_at(boundary):
        try:
            attempt(connection)
        except Killed:
            return True
        finally:
            connection.close()
    return False


@pytest.mark.parametrize(
    ("trouble", "settled"),
    [
        ({"close_after_write": True}, 60),
        ({"status": 500, "after_write": True}, 60),
        ({"close_before_write": True}, 0),
        ({"status": 503}, 0),
        ({"status": 429, "headers": {"Retry-After": "0"}}, 0),
        ({"status": 201, "body": {"status": "COMPLETE", "results": []}, "after_write": True}, 60),
    ],
)
def test_a_lost_answer_is_settled_by_looking_the_key_up_while_search_still_lags(
    crm: RunningCrm,
    warehouse: psycopg.Connection,
    hook: HubSpotHook,
    crm_policy: Crm,
    trouble: dict[str, Any],
    settled: int,
) -> None:
    timeline = confirmed_night(warehouse, crm, hook, 60)
    crm.configure(search_lag_seconds=600)
    crm.fault(CREATE, **trouble)

    counts = write(warehouse, timeline, crm_policy)["note"]

    keys = keys_of(crm)
    assert (counts["written"], counts["settled"], counts["unknown"]) == (60, settled, 0)
    assert len(keys) == len(set(keys)) == 60
    assert output_states(warehouse) == {"confirmed": 60}


def test_a_dated_api_version_settles_alike(
    crm: RunningCrm,
    warehouse: psycopg.Connection,
    hook: HubSpotHook,
    crm_policy: Crm,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    confirmed_night(warehouse, crm, hook, 3)
    connect(monkeypatch, crm.url, crm.token, api_version="2026-03")
    dated = HubSpotEngagements("crm", policy=crm_policy, backoff_seconds=0.01)
    crm.fault(CREATE, close_after_write=True)

    counts = write(warehouse, dated, crm_policy)["note"]

    assert (counts["written"], counts["settled"]) == (3, 3)
    assert len(on_timeline(crm)) == 3


@pytest.mark.parametrize("is_answer_lost", [False, True], ids=["answered", "answer lost"])
def test_a_worker_that_dies_at_any_boundary_never_leads_to_two_notes(
    crm: RunningCrm,
    warehouse: psycopg.Connection,
    warehouse_url: str,
    hook: HubSpotHook,
    crm_policy: Crm,
    is_answer_lost: bool,
) -> None:
    timeline = confirmed_night(warehouse, crm, hook, 3)
    boundary = 0
    is_killed = True

    while is_killed:
        boundary += 1
        if is_answer_lost:
            crm.fault(CREATE, close_after_write=True)
        is_killed = is_killed_at(boundary, warehouse_url, lambda connection: write(connection, timeline, crm_policy))
        crm.admin("faults", method="DELETE")
        write(warehouse, timeline, crm_policy, run_id="heir")

        keys = keys_of(crm)
        assert len(keys) == len(set(keys)) == 3, f"killed at boundary {boundary}"
        assert output_states(warehouse) == {"confirmed": 3}, f"killed at boundary {boundary}"
        inputs = [{"id": note["id"]} for note in on_timeline(crm)]
        hook._call("POST", "/crm/v3/objects/notes/batch/archive", json={"inputs": inputs}, accept={204})
        warehouse.execute("DELETE FROM ops.push_output")
        warehouse.commit()

    assert boundary > (24 if is_answer_lost else 16)


def test_what_is_not_in_the_crm_is_waited_for_before_it_is_written_again(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    timeline = confirmed_night(warehouse, crm, hook, 2)
    crm.fault(CREATE, close_before_write=True, times=None)
    hurried = crm_policy.model_copy(update={"max_attempts": 1})
    with pytest.raises(TransientError, match="2 outputs"):
        write(warehouse, timeline, hurried)
    crm.admin("faults", method="DELETE")
    sent = warehouse.execute("SELECT min(changed_at) FROM ops.push_output").fetchone()
    warehouse.commit()
    assert sent is not None

    write(warehouse, timeline, crm_policy.model_copy(update={"settle_after_seconds": 0.5}), run_id="run-2")

    claimed = warehouse.execute("SELECT min(claimed_at), max(attempts) FROM ops.push_output").fetchone()
    warehouse.commit()
    assert claimed is not None
    assert (claimed[0] - sent[0]).total_seconds() >= 0.5
    assert claimed[1] == 2
    assert len(on_timeline(crm)) == 2


def test_of_a_contact_that_is_gone_nobody_can_say_so_nothing_is_written_again(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    timeline = confirmed_night(warehouse, crm, hook, 2)
    crm.fault(CREATE, close_before_write=True, times=None)
    with pytest.raises(TransientError):
        write(warehouse, timeline, crm_policy.model_copy(update={"max_attempts": 1}))
    crm.admin("faults", method="DELETE")
    crm.admin("contacts", [{"id": 1, "properties": {"email": "p1@example.com"}, "archived": True}])

    counts = write(warehouse, timeline, crm_policy, run_id="run-2")["note"]

    assert (counts["suppressed"], counts["written"]) == (1, 1)
    assert "never written again" in output_reason(warehouse, "p0001")[1]


def test_an_attempt_that_lost_its_rows_does_not_write(
    crm: RunningCrm, warehouse: psycopg.Connection, warehouse_url: str, hook: HubSpotHook, crm_policy: Crm
) -> None:
    timeline = confirmed_night(warehouse, crm, hook, 3)
    holds = OutputRows.still_holds

    def lose_one_first(rows: OutputRows, keys: Any) -> bool:
        with psycopg.connect(warehouse_url) as other:
            other.execute("UPDATE ops.push_output SET claim_token = gen_random_uuid() WHERE person_id = 'p0002'")
        return holds(rows, keys)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(TransientError, match="took these outputs over"):
        patch.setattr(OutputRows, "still_holds", lose_one_first)
        write(warehouse, timeline, crm_policy)

    assert on_timeline(crm) == []


def test_two_attempts_at_the_same_time_write_each_note_once(
    crm: RunningCrm, warehouse: psycopg.Connection, warehouse_url: str, hook: HubSpotHook, crm_policy: Crm
) -> None:
    confirmed_night(warehouse, crm, hook, 200)
    small = crm_policy.model_copy(update={"batch_size": 10})
    begin = threading.Barrier(3)
    written: list[int] = []

    def run(number: int) -> None:
        timeline = HubSpotEngagements("crm", policy=small, backoff_seconds=0.01)
        with psycopg.connect(warehouse_url) as connection:
            begin.wait()
            written.append(write(connection, timeline, small, run_id=f"run-{number}")["note"]["written"])

    threads = [threading.Thread(target=run, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    keys = keys_of(crm)
    assert sum(written) == len(keys) == len(set(keys)) == 200
    assert output_states(warehouse) == {"confirmed": 200}
