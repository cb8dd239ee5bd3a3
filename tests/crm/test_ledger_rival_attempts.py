"""Each message once, although several attempts are at it: one that lost its rows writes nothing."""

import threading
from collections.abc import Callable, Mapping

import psycopg
import pytest
from campaign_night import CAMPAIGN, DAY, MESSAGE_ID, most_writes, prepare, push, states

from nurture.errors import TransientError
from nurture.hooks.hubspot import HubSpotHook
from nurture.ledger.attempt import Attempt, attempt
from nurture.ledger.destination import BatchResult
from nurture.policy import Crm
from sandbox.crm.server import RunningCrm

pytestmark = pytest.mark.slow  # faults, and the waits that they ask for

UPDATE = "/batch/update$"


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
