"""The portal's request limits, shared by everyone who asks: never exceeded, first come first served, paused by a refusal."""

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from nurture import operators
from nurture.errors import TransientError
from nurture.hooks.hubspot import HubSpotHook
from nurture.ledger.quota import Bucket, Limit, RequestQuota
from nurture.policy import Crm, load_policy
from nurture.warehouse.statements import statement
from sandbox.crm.server import RunningCrm

pytestmark = pytest.mark.slow  # whole pushes to the CRM over HTTP

READ = "/batch/read$"


@pytest.fixture
def quota(warehouse_url: str) -> RequestQuota:
    return RequestQuota(lambda: psycopg.connect(warehouse_url), conn_id="crm", policy=load_policy().crm)


def put(warehouse: psycopg.Connection, seconds_ahead: float, bucket: str = "requests") -> None:
    """Everything up to so many seconds from now is given away."""
    warehouse.execute(
        "INSERT INTO ops.request_quota (conn_id, bucket, next_at)"
        " VALUES ('crm', %s, clock_timestamp() + make_interval(secs => %s))"
        " ON CONFLICT (conn_id, bucket) DO UPDATE SET next_at = excluded.next_at",
        (bucket, seconds_ahead),
    )
    warehouse.commit()


def kept(warehouse: psycopg.Connection, bucket: str = "requests") -> tuple[float, int, int]:
    """Seconds until which everything is given away, requests let through, refusals."""
    row = warehouse.execute(
        "SELECT extract(epoch FROM next_at - clock_timestamp())::float8, taken, refused"
        " FROM ops.request_quota WHERE bucket = %s",
        (bucket,),
    ).fetchone()
    warehouse.commit()
    return row or (0.0, 0, 0)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline


@pytest.mark.parametrize(("requests", "seconds", "burst"), [(190, 10.0, 5), (100, 10.0, 20), (5, 1.0, 1), (2, 1.0, 1)])
def test_no_window_ever_holds_more_than_the_limit_however_many_ask_at_once(
    warehouse: psycopg.Connection, warehouse_url: str, requests: int, seconds: float, burst: int
) -> None:
    limit = Limit(requests, seconds, burst)
    bound = {"conn_id": "crm", "bucket": "requests", "horizon_seconds": 1e6}
    bound |= {"gap_seconds": limit.gap_seconds, "slack_seconds": limit.slack_seconds}
    moments: list[float] = []
    with ExitStack() as stack:
        callers = [stack.enter_context(psycopg.connect(warehouse_url, autocommit=True)) for _ in range(3)]

        for number in range(3 * requests):
            row = callers[number % 3].execute(statement("quota/take_token.sql"), bound).fetchone()
            assert row is not None
            moments.append(time.monotonic() + row[0])

    # A moment is read from a clock of this process a little after the server's was: hence the hundredth.
    busiest = max(sum(1 for other in moments if 0 <= other - moment <= seconds - 0.01) for moment in moments)
    assert busiest <= requests
    assert moments == sorted(moments)
    steady = (len(moments) - burst) / (moments[-1] - moments[0])
    assert steady * seconds == pytest.approx(requests - burst, rel=0.02)


def test_the_policy_leaves_at_least_95_percent_of_the_limit_to_a_busy_push() -> None:
    crm = load_policy().crm

    limit = Limit(crm.requests_per_10_seconds, 10.0, crm.burst)

    assert 10 / limit.gap_seconds >= 0.95 * crm.requests_per_10_seconds


def test_a_refusal_holds_back_everyone_for_as_long_as_the_crm_asks(
    crm: RunningCrm, warehouse: psycopg.Connection, warehouse_url: str, crm_policy: Crm
) -> None:
    crm.fault(READ, status=429, headers={"Retry-After": "1"})
    with ExitStack() as stack:
        first, second = (
            HubSpotHook("crm", policy=crm_policy, quota=stack.enter_context(
                RequestQuota(lambda: psycopg.connect(warehouse_url), conn_id="crm", policy=crm_policy)))
            for _ in range(2)
        )  # fmt: skip
        thread = threading.Thread(target=first.batch_read, args=(["1"], ["company"]))
        thread.start()
        wait_until(lambda: kept(warehouse)[2] == 1)

        second.batch_read(["1"], ["company"])
        thread.join()

    at = [datetime.fromisoformat(request["at"]).astimezone(UTC) for request in crm.admin("requests")["last"]]
    assert len(at) == 3
    assert (min(at[1:]) - at[0]).total_seconds() > 0.95


def test_without_retry_after_the_pause_doubles_with_each_refusal_and_carries_jitter(
    crm: RunningCrm, warehouse: psycopg.Connection, warehouse_url: str, crm_policy: Crm
) -> None:
    crm.fault(READ, status=429, times=4)
    pauses: list[float] = []

    class Watched(RequestQuota):
        def pause(self, bucket: Bucket, seconds: float) -> None:
            pauses.append(seconds)
            super().pause(bucket, seconds)

    with Watched(lambda: psycopg.connect(warehouse_url), conn_id="crm", policy=crm_policy) as quota:
        HubSpotHook("crm", policy=crm_policy, quota=quota, backoff_seconds=0.01).batch_read(["1"], ["company"])

    assert [0.5 <= pause / (0.01 * 2**n) <= 1 for n, pause in enumerate(pauses)] == [True] * 4
    assert len({pause / 2**n for n, pause in enumerate(pauses)}) == 4
    assert kept(warehouse)[1:] == (5, 4)


def test_who_waits_when_the_crm_refuses_somebody_waits_for_the_end_of_the_pause(
    warehouse: psycopg.Connection, quota: RequestQuota
) -> None:
    put(warehouse, 0.5)
    with quota:
        began = time.monotonic()
        waiting = threading.Thread(target=quota.take, args=("requests",))
        waiting.start()
        wait_until(lambda: kept(warehouse)[1] == 1)

        quota.pause("requests", 1.0)
        waiting.join()

    assert time.monotonic() - began >= 1.0
    assert kept(warehouse)[1] == 2


def test_a_shorter_pause_does_not_end_a_longer_one(warehouse: psycopg.Connection, quota: RequestQuota) -> None:
    put(warehouse, 0)
    with quota:
        quota.pause("requests", 20)

        quota.pause("requests", 1)

    assert kept(warehouse)[0] > 19


@pytest.mark.parametrize("asked_seconds", [90.0, 1e9])
def test_a_pause_holds_back_the_others_for_a_minute_at_most(
    warehouse: psycopg.Connection, quota: RequestQuota, asked_seconds: float
) -> None:
    put(warehouse, 0)
    with quota:
        quota.pause("requests", asked_seconds)

    assert 59 < kept(warehouse)[0] < 61


def test_a_turn_more_than_a_minute_away_is_left_to_a_later_attempt_and_nothing_is_sent(
    crm: RunningCrm, warehouse: psycopg.Connection, quota: RequestQuota, crm_policy: Crm
) -> None:
    put(warehouse, 90)

    with quota, pytest.raises(TransientError, match=r"connection 'crm' are held back for (89|90) s more"):
        HubSpotHook("crm", policy=crm_policy, quota=quota).batch_read(["1"], ["company"])

    assert crm.admin("requests")["last"] == []


def test_a_clock_that_was_put_back_holds_back_nobody(warehouse: psycopg.Connection, quota: RequestQuota) -> None:
    put(warehouse, 3600)
    began = time.monotonic()

    with quota:
        quota.take("requests")

    assert time.monotonic() - began < 1


def test_searches_have_a_limit_of_their_own(
    crm: RunningCrm, warehouse: psycopg.Connection, quota: RequestQuota, crm_policy: Crm
) -> None:
    put(warehouse, 90)
    with quota:
        hook = HubSpotHook("crm", policy=crm_policy, quota=quota)

        list(hook.iter_changed_contacts(datetime(2026, 11, 20, tzinfo=UTC), ["company"]))

    assert kept(warehouse, "searches")[1] == 1
    assert kept(warehouse, "requests")[1] == 0


def test_a_warehouse_that_is_away_means_no_request_and_the_next_one_finds_it_again(
    crm: RunningCrm, warehouse: psycopg.Connection, quota: RequestQuota, crm_policy: Crm
) -> None:
    with quota:
        hook = HubSpotHook("crm", policy=crm_policy, quota=quota)
        hook.batch_read(["1"], ["company"])
        assert quota._connection is not None
        warehouse.execute("SELECT pg_terminate_backend(%s, 5000)", (quota._connection.info.backend_pid,))
        with pytest.raises(TransientError, match=r"cannot be asked .*nothing was sent"):
            hook.batch_read(["1"], ["company"])

        hook.batch_read(["1"], ["company"])

    assert len(crm.admin("requests")["last"]) == 2


def test_no_task_asks_the_crm_past_the_quota() -> None:
    folder = Path(next(iter(operators.__path__)))

    culprits = [path.name for path in folder.glob("*.py") if "HubSpotHook(" in path.read_text()]

    assert not culprits, (
        f"{culprits}: open the CRM with nurture.hooks.hubspot.paced_hubspot, which takes a token for each request"
    )
