"""A worker that is killed, or hears nothing, at any moment: the second try never makes a second batch."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from batch_night import BatchNight, Killed, Wrapped

from nurture.copywriting.batches import harvest
from nurture.copywriting.batches.batch_run import Waiting
from nurture.copywriting.batches.vendor import Result
from nurture.copywriting.campaign_copy import CopyCounts

pytestmark = pytest.mark.slow  # batches take their time

WAITS_FOR_A_LOCK = """
SELECT 1 FROM pg_locks JOIN pg_database ON oid = database
WHERE locktype = 'advisory' AND NOT granted AND datname = current_database()
"""

Invite = Callable[..., None]


@pytest.fixture
def night(batch_night: BatchNight, invite: Invite) -> BatchNight:
    """Three contexts, and no batch yet."""
    for industry in ("retail", "healthcare", "logistics"):
        invite({"industry": industry, "pain_point": "stock errors"})
    return batch_night


def kill(night: BatchNight, wrap: type[Wrapped], **changes: Any) -> None:
    with pytest.raises((Killed, BaseExceptionGroup)):
        night.attempt(wrap=wrap, **changes)
    night.connection.rollback()


class BeforePlan(Wrapped):
    def line(self, *_: Any) -> dict[str, Any]:
        raise Killed


class AfterPlan(Wrapped):
    async def submit(self, *_: Any) -> str:
        raise Killed


class RightBeforeMaking(Wrapped):
    async def submit(self, key: str, lines: Sequence[dict[str, Any]], before: Callable[[], None]) -> str:
        def and_die() -> None:
            before()
            raise Killed

        return await self._vendor.submit(key, lines, and_die)


class AfterMaking(Wrapped):
    async def submit(self, *arguments: Any) -> str:
        await self._vendor.submit(*arguments)
        raise Killed


class InTheMiddleOfTheHarvest(Wrapped):
    async def results(self, vendor_id: str) -> AsyncIterator[Result]:
        read = 0
        async for result in self._vendor.results(vendor_id):
            if read == 2:
                raise Killed
            read += 1
            yield result


@pytest.mark.parametrize("moment", [BeforePlan, AfterPlan, AfterMaking, InTheMiddleOfTheHarvest])
def test_a_second_try_after_a_kill_pays_once(night: BatchNight, moment: type[Wrapped], monkeypatch: Any) -> None:
    monkeypatch.setattr(harvest, "CHUNK", 1)
    kill(night, moment)

    counts = night.finish()

    assert [batch["succeeded"] for batch in night.at_vendor()] == [3]
    assert (counts.clear, counts.static) == (3, 0)
    assert night.rows("SELECT count(*), count(DISTINCT request_hash) FROM ops.llm_call") == [(3, 3)]
    assert night.rows(
        "SELECT DISTINCT reserved_usd, spent_usd = (SELECT sum(cost_usd) FROM ops.llm_call) FROM ops.budget"
    ) == [(0, True)]


def test_a_batch_that_was_planned_and_never_made_is_not_made_by_a_night_of_calls(night: BatchNight) -> None:
    kill(night, AfterPlan)

    counts = night.write_in_calls()

    assert (counts.clear, night.at_vendor()) == (3, [])
    assert night.rows("SELECT DISTINCT reserved_usd, state FROM ops.budget, ops.llm_batch") == [(0, "cancelled")]


@pytest.mark.slow
def test_of_a_harvest_that_was_killed_nothing_is_lost(night: BatchNight, monkeypatch: Any) -> None:
    monkeypatch.setattr(harvest, "CHUNK", 1)

    kill(night, InTheMiddleOfTheHarvest)

    assert night.rows("SELECT count(*) FROM ops.copy WHERE origin = 'model'") == [(2,)]
    assert night.rows("SELECT count(*) FROM ops.llm_call WHERE status = 'ok'") == [(2,)]


@pytest.mark.slow
def test_a_worker_that_dies_for_good_right_after_the_batch_was_made_is_followed_by_one_that_finds_it(
    night: BatchNight, warehouse_url: str
) -> None:
    script = Path(__file__).with_name("die_after_making.py")
    died = subprocess.run(
        [sys.executable, script, warehouse_url, night.server.root, night.vendor],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert died.returncode == -signal.SIGKILL, died.stderr
    noted = night.rows("SELECT state, vendor_id, attempted_at IS NOT NULL FROM ops.llm_batch")

    counts = night.finish()

    assert noted == [("planned", None, True)]
    assert (len(night.at_vendor()), counts.clear) == (1, 3)


@pytest.mark.slow
def test_a_batch_that_still_runs_is_found_again_or_waited_for(night: BatchNight) -> None:
    night.behave(seconds=3600)
    kill(night, AfterMaking)

    waiting = night.wait()

    [batch] = night.at_vendor()
    assert waiting.vendor_ids == (batch["id"],)
    night.behave(seconds=0)
    assert (night.finish().clear, len(night.at_vendor())) == (3, 1)


def test_a_batch_whose_making_was_never_answered_is_found_in_the_list(night: BatchNight) -> None:
    night.behave(lost_answers=1)

    unsure = night.attempt(list_lag_seconds=3600)
    counts = night.finish()

    assert (unsure.vendor_ids, counts.clear) == ((), 3)  # type: ignore[union-attr]
    assert len(night.at_vendor()) == 1


@pytest.mark.slow
def test_a_list_that_lags_is_given_time_before_anything_is_made_again(night: BatchNight) -> None:
    night.behave(list_lag_seconds=3600)
    kill(night, AfterMaking)

    waiting = night.wait(list_lag_seconds=3600)
    night.behave()
    counts = night.finish(list_lag_seconds=3600)

    [(seconds,)] = night.rows(f"SELECT round(extract(epoch FROM '{waiting.until}' - attempted_at)) FROM ops.llm_batch")
    assert (waiting.vendor_ids, seconds) == ((), 3600)
    assert (counts.clear, len(night.at_vendor())) == (3, 1)


@pytest.mark.slow
@pytest.mark.parametrize("refusal", [None, {"refused_creates": 1}])
def test_a_batch_that_was_not_made_is_made_once_the_list_must_show_it(night: BatchNight, refusal: Any) -> None:
    if refusal:
        night.behave(**refusal)
        night.wait(list_lag_seconds=3600)
    else:
        kill(night, RightBeforeMaking)
    unsure = night.wait(list_lag_seconds=3600)

    counts = night.finish(list_lag_seconds=0)

    assert unsure.vendor_ids == ()
    assert (counts.clear, len(night.at_vendor())) == (3, 1)


@pytest.mark.slow
def test_a_batch_that_the_vendor_does_not_know_yet_is_waited_for(night: BatchNight) -> None:
    night.behave(hidden_seconds=3600)

    waiting = night.wait()
    again = night.wait()

    [batch] = night.at_vendor()
    assert waiting.vendor_ids == again.vendor_ids == (batch["id"],)


@pytest.mark.slow
def test_somebody_elses_batches_are_not_taken_for_ours(night: BatchNight) -> None:
    kill(night, AfterMaking)
    night.forget()
    night.run_id = "manual__2"
    kill(night, RightBeforeMaking)

    counts = night.finish(list_lag_seconds=0)

    assert (counts.clear, len(night.at_vendor())) == (3, 2)


@pytest.mark.slow
def test_a_second_attempt_that_comes_too_early_makes_nothing(night: BatchNight, warehouse_url: str) -> None:
    """As when Airflow takes a worker for dead that is not."""
    early: list[CopyCounts | Waiting] = []

    def attempt() -> None:
        with psycopg.connect(warehouse_url) as connection:
            early.append(replace(night, connection=connection).attempt())

    second = threading.Thread(target=attempt)

    class Overtaken(Wrapped):
        async def submit(self, *arguments: Any) -> str:
            second.start()
            with psycopg.connect(warehouse_url, autocommit=True) as other:
                while second.is_alive() and not other.execute(WAITS_FOR_A_LOCK).fetchone():
                    await asyncio.sleep(0.01)
            return await self._vendor.submit(*arguments)

    counts = night.attempt(wrap=Overtaken)
    second.join()

    assert len(night.at_vendor()) == 1
    assert [getattr(one, "clear", None) for one in (counts, *early)] == [3, 3]


@pytest.mark.slow
def test_a_vendor_that_is_down_is_waited_for(night: BatchNight) -> None:
    waiting = night.wait(root="http://127.0.0.1:9")

    counts = night.finish(list_lag_seconds=0)

    assert waiting.vendor_ids == ()
    assert (counts.clear, len(night.at_vendor())) == (3, 1)
