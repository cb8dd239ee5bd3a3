"""Several batches in flight: each message still once, the first error ends it cleanly, and nothing is left lying about."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from campaign_night import CAMPAIGN, DAY, MESSAGE_ID, most_writes, prepare, push, reason_of, states

from nurture.errors import TerminalError, TransientError
from nurture.hooks.hubspot import HubSpotHook
from nurture.ledger.attempt import ATTEMPT_LOCKS, Attempt, attempt
from nurture.ledger.destination import BatchResult
from nurture.ledger.push import Hand, Push, PushCounts
from nurture.operators.push_to_crm import PushToCrmOperator
from nurture.policy import Crm, load_policy
from sandbox.crm.server import RunningCrm

pytestmark = pytest.mark.slow  # whole pushes to the CRM over HTTP

UPDATE = "/batch/update$"
WORKERS = 4


@pytest.fixture
def busy(crm_policy: Crm) -> Crm:
    """Small batches, four of them in flight."""
    return crm_policy.model_copy(update={"batch_size": 10, "push_workers": WORKERS})


def push_at_once(url: str, hook: HubSpotHook, policy: Crm, *, run_id: str = "run-1") -> PushCounts:
    """One attempt with as many batches in flight as the policy says, as the operator opens them."""
    operator = PushToCrmOperator(task_id="push", campaign=CAMPAIGN, lane="ready", day=DAY)
    with (
        psycopg.connect(url) as connection,
        attempt(connection, campaign=CAMPAIGN, lane="ready", day=DAY, run_id=run_id) as mine,
    ):

        @contextmanager
        def another_hand() -> Iterator[Hand]:
            with psycopg.connect(url) as own:
                yield Hand(mine.over(own), hook.another())

        consent = load_policy().consent
        return Push(mine, hook, operator.compose, policy, consent, another_hand=another_hand).run()


class FourAtOnce(HubSpotHook):
    """Each write waits until three others are on their way too."""

    barrier = threading.Barrier(WORKERS)

    def batch_update(self, inputs: Mapping[str, Mapping[str, str]], **options: Any) -> BatchResult:
        self.barrier.wait(timeout=20)
        return super().batch_update(inputs, **options)


def test_as_many_batches_as_the_policy_says_are_in_flight_and_each_message_goes_out_once(
    crm: RunningCrm, warehouse: psycopg.Connection, warehouse_url: str, hook: HubSpotHook, busy: Crm
) -> None:
    prepare(warehouse, crm, hook, 160)

    counts = push_at_once(warehouse_url, FourAtOnce("crm", policy=busy), busy)

    assert (counts.pushed, counts.batches, counts.waiting) == (160, 16, 0)
    assert states(warehouse) == {"confirmed": 160}
    assert len(crm.writes(MESSAGE_ID)) == 160
    assert most_writes(crm) == 1


@pytest.mark.slow
@pytest.mark.parametrize("refused", [UPDATE, "/batch/read$"])
def test_a_token_that_expires_in_the_middle_ends_the_push_after_what_is_in_flight_and_the_next_one_does_the_rest(
    crm: RunningCrm, warehouse: psycopg.Connection, warehouse_url: str, hook: HubSpotHook, busy: Crm, refused: str
) -> None:
    prepare(warehouse, crm, hook, 200)
    crm.fault(refused, status=401, skip=5, times=None)
    with pytest.raises(TerminalError, match="token"):
        push_at_once(warehouse_url, hook, busy)
    between = states(warehouse)
    written = len(crm.writes(MESSAGE_ID))
    requests = len(crm.admin("requests")["last"])
    crm.admin("faults", method="DELETE")

    counts = push_at_once(warehouse_url, hook, busy, run_id="run-2")

    assert set(between) == {"confirmed", "claimed"}
    assert between["confirmed"] == written > 0
    assert between["claimed"] <= 10 * WORKERS
    assert requests < 40
    assert (counts.already_sent, counts.pushed) == (written, 200 - written)
    assert states(warehouse) == {"confirmed": 200}
    assert most_writes(crm) == 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_batch_whose_own_session_ended_is_settled_by_the_next_attempt(
    crm: RunningCrm, warehouse: psycopg.Connection, warehouse_url: str, hook: HubSpotHook, busy: Crm,
    monkeypatch: pytest.MonkeyPatch, when: str,
) -> None:  # fmt: skip
    prepare(warehouse, crm, hook, 100)
    lost = threading.local()
    third = iter(range(1000))
    claim = Attempt.claim

    def remember(self: Attempt, slots: Any) -> Any:
        lost.connection = self.connection
        return claim(self, slots)

    class LosesItsSession(HubSpotHook):
        def batch_update(self, inputs: Mapping[str, Mapping[str, str]], **options: Any) -> BatchResult:
            is_third = next(third) == 2
            if is_third and when == "before":
                end(lost.connection)
            result = super().batch_update(inputs, **options)
            if is_third and when == "after":
                end(lost.connection)
            return result

    def end(connection: psycopg.Connection) -> None:
        with psycopg.connect(warehouse_url) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", (connection.info.backend_pid,))

    monkeypatch.setattr(Attempt, "claim", remember)
    with pytest.raises(psycopg.OperationalError):
        push_at_once(warehouse_url, LosesItsSession("crm", policy=busy), busy)
    between = states(warehouse)

    counts = push_at_once(warehouse_url, hook, busy, run_id="run-2")

    assert between["sent"] == 10
    assert set(between) == {"sent", "confirmed"}
    assert counts.settled == (10 if when == "after" else 0)
    assert states(warehouse) == {"confirmed": 100}
    assert len(crm.writes(MESSAGE_ID)) == 100
    assert most_writes(crm) == 1


def test_a_thread_whose_attempt_lost_its_session_to_an_heir_does_not_repeat_a_write(
    crm: RunningCrm, warehouse: psycopg.Connection, warehouse_url: str, hook: HubSpotHook, busy: Crm
) -> None:
    prepare(warehouse, crm, hook, 5)
    crm.fault(UPDATE, status=429, headers={"Retry-After": "0"})
    heirs: list[PushCounts] = []

    def lose_the_session_to_an_heir() -> None:
        with psycopg.connect(warehouse_url) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' AND classid = %s",
                (ATTEMPT_LOCKS,),
            )
        heirs.append(push_at_once(warehouse_url, hook, busy, run_id="heir"))

    class InterruptedBetweenTries(HubSpotHook):
        def batch_update(self, inputs: Any, *, before_try: Callable[[], None] = lambda: None) -> BatchResult:
            tries = iter(range(100))

            def interrupted() -> None:
                if next(tries) == 1:
                    lose_the_session_to_an_heir()
                before_try()

            return super().batch_update(inputs, before_try=interrupted)

    with pytest.raises((TransientError, psycopg.OperationalError)):
        push_at_once(warehouse_url, InterruptedBetweenTries("crm", policy=busy), busy, run_id="zombie")

    assert [(heir.pushed, heir.waiting) for heir in heirs] == [(5, 0)]
    assert states(warehouse) == {"confirmed": 5}
    assert len(crm.writes(MESSAGE_ID)) == 5


@pytest.mark.slow
def test_writes_that_time_out_after_they_were_done_are_found_on_reading_back(
    crm: RunningCrm, warehouse: psycopg.Connection, warehouse_url: str, hook: HubSpotHook, busy: Crm
) -> None:
    prepare(warehouse, crm, hook, 60)
    crm.fault(UPDATE, delay_seconds=2, after_write=True, times=2)
    hasty = busy.model_copy(update={"timeout_seconds": 1})

    counts = push_at_once(warehouse_url, HubSpotHook("crm", policy=hasty), hasty)

    assert (counts.pushed, counts.settled, counts.batches) == (60, 20, 6)
    assert states(warehouse) == {"confirmed": 60}
    assert most_writes(crm) == 1


@pytest.mark.slow
def test_a_crm_that_lets_every_write_go_unanswered_is_not_sent_all_of_them(
    crm: RunningCrm, warehouse: psycopg.Connection, warehouse_url: str, hook: HubSpotHook, busy: Crm
) -> None:
    prepare(warehouse, crm, hook, 300)
    crm.fault(UPDATE, status=500, times=None)
    patience = busy.model_copy(update={"max_attempts": 2})
    with pytest.raises(TransientError, match="no answer was seen in 2 rounds"):
        push_at_once(warehouse_url, hook, patience)
    writes = [request for request in crm.admin("requests")["last"] if request["path"].endswith("update")]
    crm.admin("faults", method="DELETE")

    counts = push_at_once(warehouse_url, hook, busy, run_id="run-2")

    assert len(writes) <= 2 * (2 + WORKERS)
    assert (counts.pushed, states(warehouse)) == (300, {"confirmed": 300})
    assert most_writes(crm) == 1


def test_two_contacts_of_one_address_in_batches_of_the_same_moment_get_one_message_and_nobody_is_left_waiting(
    crm: RunningCrm, warehouse: psycopg.Connection, warehouse_url: str, hook: HubSpotHook, busy: Crm
) -> None:
    prepare(warehouse, crm, hook, 40)
    for first, second in ((1, 11), (2, 21), (3, 31)):
        warehouse.execute("UPDATE staging.contacts SET email = %s WHERE crm_id = %s", (f"p{first}@example.com", str(second)))
    warehouse.commit()

    counts = push_at_once(warehouse_url, FourAtOnce("crm", policy=busy), busy)

    assert (counts.pushed, counts.suppressed, counts.waiting) == (37, 3, 0)
    assert states(warehouse) == {"confirmed": 37, "suppressed": 3}
    written = {write["contact_id"] for write in crm.writes(MESSAGE_ID)}
    assert [len(written & {first, second}) for first, second in (("1", "11"), ("2", "21"), ("3", "31"))] == [1, 1, 1]


def test_a_warehouse_short_of_connections_means_fewer_batches_at_a_time_and_not_a_failed_push(
    crm: RunningCrm, warehouse: psycopg.Connection, warehouse_url: str, hook: HubSpotHook, busy: Crm
) -> None:
    prepare(warehouse, crm, hook, 100)
    asked = iter(range(100))

    class ScarceConnections(HubSpotHook):
        def another(self) -> "ScarceConnections":
            if next(asked) >= 2:
                raise psycopg.OperationalError("FATAL: sorry, too many clients already")
            return super().another()

    counts = push_at_once(warehouse_url, ScarceConnections("crm", policy=busy), busy)

    assert (counts.pushed, states(warehouse)) == (100, {"confirmed": 100})
    assert next(asked) == 3


def test_no_two_persons_can_have_the_same_contact(warehouse: psycopg.Connection) -> None:
    insert = "INSERT INTO marts.person (person_id, crm_id, consent_status) VALUES (%s, '7', 'granted')"
    warehouse.execute(insert, ("p0001",))

    with pytest.raises(psycopg.errors.UniqueViolation):
        warehouse.execute(insert, ("p0002",))


@pytest.mark.slow
@pytest.mark.parametrize("pause", [{"headers": {"Retry-After": "1"}}, {}])
def test_who_withdraws_while_a_refused_write_waits_gets_no_message(
    crm: RunningCrm, warehouse: psycopg.Connection, crm_policy: Crm, hook: HubSpotHook, pause: dict[str, Any]
) -> None:
    prepare(warehouse, crm, hook, 5)
    crm.fault(UPDATE, status=429, **pause)
    hasty = crm_policy.model_copy(update={"consent_seconds": 0.3})

    class Withdraws(HubSpotHook):
        def batch_update(self, inputs: Mapping[str, Mapping[str, str]], **options: Any) -> BatchResult:
            crm.seed([{"id": 3, "properties": {"hs_email_optout": "true"}}])
            return super().batch_update(inputs, **options)

    counts = push(warehouse, Withdraws("crm", policy=hasty, backoff_seconds=1.0), hasty)

    assert (counts.pushed, counts.suppressed, counts.batches) == (4, 1, 1)
    assert reason_of(warehouse, "p0003") == ("suppressed", "opted out in the CRM, as read right before the push")
    assert {write["contact_id"] for write in crm.writes(MESSAGE_ID)} == {"1", "2", "4", "5"}


def test_a_crm_that_is_so_slow_that_consent_is_always_old_is_left_to_a_later_attempt(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    prepare(warehouse, crm, hook, 2)

    with pytest.raises(TransientError, match=r"went by between reading consent and writing"):
        push(warehouse, hook, crm_policy.model_copy(update={"consent_seconds": 1e-6}))

    assert (crm.writes(MESSAGE_ID), states(warehouse)) == ([], {"claimed": 2})


def test_the_operator_pushes_several_batches_at_once_within_the_quota(
    crm: RunningCrm, warehouse_url: str, hook: HubSpotHook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", warehouse_url)
    with psycopg.connect(warehouse_url) as connection:
        prepare(connection, crm, hook, 250)
    all_three, update = threading.Barrier(3), HubSpotHook.batch_update

    def together(self: HubSpotHook, inputs: Mapping[str, Mapping[str, str]], **options: Any) -> BatchResult:
        all_three.wait(timeout=20)
        return update(self, inputs, **options)

    monkeypatch.setattr(HubSpotHook, "batch_update", together)
    crm.admin("requests", method="DELETE")

    counts = PushToCrmOperator(task_id="push_ready", campaign=CAMPAIGN, lane="ready", day=DAY).execute(
        {"run_id": "run-1"}  # type: ignore[typeddict-item]
    )

    with psycopg.connect(warehouse_url) as connection:
        taken = connection.execute("SELECT taken, refused FROM ops.request_quota WHERE conn_id = 'crm'").fetchall()
    assert (counts["pushed"], counts["batches"]) == (250, 3)
    assert taken == [(len(crm.admin("requests")["last"]), 0)]
