"""Each message once, whatever breaks: lost answers, crashes at every boundary, attempts that run at the same time."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import psycopg
import pytest
from campaign_night import CAMPAIGN, DAY, MESSAGE_ID, add_messages, merge, most_writes, prepare, push, reason_of, states

from nurture.errors import OutcomeUnknown, TransientError
from nurture.hooks.hubspot import HubSpotHook
from nurture.ledger.attempt import Attempt, attempt
from nurture.ledger.destination import BatchResult
from nurture.policy import Crm
from sandbox.crm.server import RunningCrm

pytestmark = pytest.mark.slow  # faults, and the waits that they ask for

UPDATE = "/batch/update$"
READ = "/batch/read$"


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


@pytest.mark.slow
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


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_attempt_killed_around_the_write_is_finished_by_the_next_one(
    crm: RunningCrm, warehouse: psycopg.Connection, warehouse_url: str, hook: HubSpotHook, crm_policy: Crm, when: str
) -> None:
    prepare(warehouse, crm, hook, 10)
    killed = KilledAround("crm", policy=crm_policy)
    killed.when = when
    die(warehouse_url, killed, crm_policy)
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
    killed = KilledAround("crm", policy=crm_policy)
    killed.when = "after"
    die(warehouse_url, killed, crm_policy)
    hook.batch_update({crm_id: {MESSAGE_ID: "a later message of another campaign"} for crm_id in "123"})

    counts = push(warehouse, hook, crm_policy)

    assert (counts.settled, counts.batches) == (3, 0)


def test_a_message_left_open_by_an_earlier_night_is_settled_by_a_later_one(
    crm: RunningCrm, warehouse: psycopg.Connection, warehouse_url: str, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 3)
    killed = KilledAround("crm", policy=crm_policy)
    killed.when = "after"
    die(warehouse_url, killed, crm_policy)
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
    killed = KilledAround("crm", policy=crm_policy)
    killed.when = when
    die(warehouse_url, killed, crm_policy)
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
    killed = KilledAround("crm", policy=crm_policy)
    killed.when = "after"
    die(warehouse_url, killed, crm_policy)
    crm.seed([{"id": 1, "properties": {}, "archived": True}])
    counts = push(warehouse, hook, crm_policy, run_id="run-2")
    crm.seed([{"id": 1, "properties": {"consent_status": "granted"}}])

    push(warehouse, hook, crm_policy, run_id="after it was restored")

    assert counts.suppressed == 1
    assert "may have been written" in reason_of(warehouse, "p0001")[1]
    assert most_writes(crm) == 1


class InterruptedBetweenTries(HubSpotHook):
    """The first try meets a rate limit; `meanwhile` happens before the second one."""

    meanwhile: Callable[[], None]

    def batch_update(
        self, inputs: Mapping[str, Mapping[str, str]], *, before_try: Callable[[], None] = lambda: None
    ) -> BatchResult:
        tries = iter(range(100))

        def interrupted() -> None:
            if next(tries) == 1:
                self.meanwhile()
            before_try()

        return super().batch_update(inputs, before_try=interrupted)


def test_an_attempt_that_lost_its_session_does_not_repeat_a_write(
    crm: RunningCrm, warehouse: psycopg.Connection, warehouse_url: str, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 3)
    crm.fault(UPDATE, status=429, headers={"Retry-After": "0"})
    session = psycopg.connect(warehouse_url)
    zombie = InterruptedBetweenTries("crm", policy=crm_policy)

    def lose_the_session_to_an_heir() -> None:
        warehouse.execute("SELECT pg_terminate_backend(%s, 5000)", (session.info.backend_pid,))
        warehouse.commit()
        push(warehouse, hook, crm_policy, run_id="heir")

    zombie.meanwhile = lose_the_session_to_an_heir

    with pytest.raises(psycopg.OperationalError):
        push(session, zombie, crm_policy, run_id="zombie")

    assert states(warehouse) == {"confirmed": 3}
    assert len(crm.writes(MESSAGE_ID)) == 3


def test_an_attempt_that_lost_its_rows_does_not_repeat_a_write(
    crm: RunningCrm, warehouse: psycopg.Connection, warehouse_url: str, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 3)
    crm.fault(UPDATE, status=429, headers={"Retry-After": "0"})
    zombie = InterruptedBetweenTries("crm", policy=crm_policy)

    def lose_a_row() -> None:
        with psycopg.connect(warehouse_url) as other:
            other.execute("UPDATE ops.push_ledger SET claim_token = gen_random_uuid() WHERE person_id = 'p0002'")

    zombie.meanwhile = lose_a_row

    with pytest.raises(TransientError, match="took these messages over"):
        push(warehouse, zombie, crm_policy)

    assert crm.writes(MESSAGE_ID) == []


def test_the_wait_before_a_second_sending_counts_from_the_last_try(
    crm: RunningCrm, warehouse: psycopg.Connection, warehouse_url: str, hook: HubSpotHook
) -> None:
    prepare(warehouse, crm, hook, 1)
    with (
        psycopg.connect(warehouse_url) as session,
        attempt(session, campaign=CAMPAIGN, lane="ready", day=DAY, run_id="run-1") as mine,
    ):
        [message] = mine.claim(next(mine.candidates(10)))
        mine.move("sent", {message.key: "going out"})
        session.execute("UPDATE ops.push_ledger SET changed_at = changed_at - interval '1 hour'")

        is_mine = mine.still_holds([message.key])

        age = session.execute("SELECT extract(epoch FROM clock_timestamp() - changed_at) FROM ops.push_ledger").fetchone()
        assert is_mine
        assert age is not None
        assert age[0] < 60


def test_rows_of_an_attempt_that_still_runs_are_left_alone(
    crm: RunningCrm, warehouse: psycopg.Connection, warehouse_url: str, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 4)
    with (
        psycopg.connect(warehouse_url) as other,
        attempt(other, campaign=CAMPAIGN, lane="ready", day=DAY, run_id="other") as running,
    ):
        claimed = running.claim(next(running.candidates(2)))
        running.move("sent", {claimed[0].key: "on its way"})

        counts = push(warehouse, hook, crm_policy)

        assert (counts.pushed, counts.waiting) == (2, 2)
        assert states(warehouse) == {"claimed": 1, "sent": 1, "confirmed": 2}


def test_an_attempt_that_comes_back_from_the_dead_is_fenced_off(
    crm: RunningCrm, warehouse: psycopg.Connection, warehouse_url: str, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 1)
    night = {"campaign": CAMPAIGN, "lane": "ready", "day": DAY}
    with psycopg.connect(warehouse_url) as session, attempt(session, run_id="zombie", **night) as old:
        [message] = old.claim(next(old.candidates(10)))
    with psycopg.connect(warehouse_url) as session, attempt(session, run_id="heir", **night) as heir:
        heir.claim(next(heir.candidates(10)))

        moved = Attempt(warehouse, **night, run_id="zombie", token=old.token, abandoned=[]).move(
            "sent", {message.key: "woke up"}
        )

        assert moved == set()
        assert heir.move("sent", {message.key: "going out"}) == {message.key}


@pytest.mark.slow
def test_two_attempts_at_the_same_time_send_each_message_once(
    crm: RunningCrm, warehouse: psycopg.Connection, warehouse_url: str, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 400)
    small = crm_policy.model_copy(update={"batch_size": 20})
    begin = threading.Barrier(3)
    pushed: list[int] = []

    def run(number: int) -> None:
        with psycopg.connect(warehouse_url) as connection:
            mine = HubSpotHook("crm", policy=small)
            begin.wait()
            pushed.append(push(connection, mine, small, run_id=f"run-{number}").pushed)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(pushed) == 400
    assert states(warehouse) == {"confirmed": 400}
    assert len(crm.writes(MESSAGE_ID)) == 400
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
