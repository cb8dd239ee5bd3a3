"""Endpoints, answers and warehouses that fail: nobody waits, and nothing that was answered is lost."""

import asyncio
from itertools import product as product_of
from typing import Any

import psycopg
import pytest
from copy_night import RETAIL, Invite, Night, Wrapped
from tenacity import AsyncRetrying, RetryCallState

from nurture.copywriting.chat_model import Answer, ChatModel
from nurture.copywriting.engine import backoff

pytestmark = pytest.mark.slow  # failures, and the waits between attempts


@pytest.mark.parametrize(
    ("mode", "status"),
    [("rate_limited", "rate_limited"), ("server_error", "server_error"), ("closed_connection", "server_error")],
)
def test_a_passing_failure_is_tried_again(night: Night, invite: Invite, mode: str, status: str) -> None:
    night.server.misbehave(mode, times=2)
    invite(RETAIL)

    counts = night.write()

    assert (counts.clear + counts.flagged, counts.model_calls) == (1, 3)
    assert night.rows("SELECT attempt, status FROM ops.llm_call ORDER BY attempt") == [(1, status), (2, status), (3, "ok")]


def test_a_slow_answer_is_given_up_and_its_worst_case_stays_on_the_bill(night: Night, invite: Invite) -> None:
    night.server.misbehave("slow", times=1, delay_seconds=3)
    invite(RETAIL)

    counts = night.write(timeout_seconds=1)

    timed_out, answered = night.rows("SELECT status, cost_usd FROM ops.llm_call ORDER BY attempt")
    assert (timed_out[0], answered[0]) == ("timeout", "ok")
    assert timed_out[1] > answered[1] > 0
    assert counts.model_calls == 2


def test_the_wait_that_the_endpoint_asks_for_is_honoured(night: Night, invite: Invite) -> None:
    night.server.misbehave("rate_limited", times=1, retry_after_seconds=0.8)
    invite(RETAIL)

    night.write()

    [(gap,)] = night.rows(
        "SELECT extract(epoch FROM max(called_at) - min(called_at)) * 1000 - max(latency_ms) FILTER (WHERE attempt = 1)"
        " FROM ops.llm_call"
    )
    assert gap >= 750


def test_each_wait_is_twice_as_long_as_the_one_before_and_no_two_are_the_same() -> None:
    state = RetryCallState(AsyncRetrying(), None, (), {})

    for state.attempt_number in range(1, 5):
        waits, shortest = [backoff(0.5)(state) for _ in range(50)], 0.5 * 2 ** (state.attempt_number - 1)
        assert all(shortest <= wait <= shortest + 0.5 for wait in waits)
        assert len(set(waits)) == len(waits) and max(waits) - min(waits) > 0.1


def test_an_attempt_waits_longer_than_the_one_before(night: Night, invite: Invite) -> None:
    night.server.misbehave("server_error", times=4)
    invite(RETAIL)

    night.write(backoff_seconds=0.05)

    gaps = night.rows("SELECT extract(epoch FROM called_at - lag(called_at) OVER (ORDER BY attempt)) FROM ops.llm_call")
    assert [float(gap) >= 0.05 * 2**place for place, (gap,) in enumerate(gaps[1:])] == [True] * 4


def test_after_five_attempts_it_is_static_copy_and_a_later_run_asks_again(night: Night, invite: Invite) -> None:
    night.server.misbehave("server_error")
    invite(RETAIL)
    counts = night.write()
    night.server.admin("reset", {})

    later = night.write()

    assert (counts.model_calls, counts.unanswered, counts.static) == (5, 1, 1)
    assert (later.model_calls, later.clear + later.flagged, later.unanswered) == (1, 1, 0)


@pytest.mark.parametrize("wrong", [{"api_key": "sk-wrong"}, {"model": "no-such-model", "allow_unpriced_models": True}])
def test_what_cannot_be_mended_is_asked_once_and_the_night_goes_on_static(
    night: Night, invite: Invite, wrong: dict[str, Any]
) -> None:
    for industry in ("retail", "healthcare", "logistics", "other"):
        invite({**RETAIL, "industry": industry})

    counts = night.write(max_concurrency=1, **wrong)

    assert (counts.model_calls, counts.unanswered, counts.static, counts.refused) == (1, 4, 4, True)
    assert night.rows("SELECT status FROM ops.llm_call") == [("bad_request",)]
    assert night.rows("SELECT sum(reserved_usd + spent_usd) FROM ops.budget") == [(0,)]


def test_a_lost_endpoint_leaves_everyone_with_static_copy(night: Night, invite: Invite) -> None:
    invite(RETAIL)

    counts = night.write(url="http://127.0.0.1:9/v1")

    assert (counts.unanswered, counts.static) == (1, 1)
    assert night.rows("SELECT DISTINCT status FROM ops.llm_call") == [("server_error",)]


def test_an_answer_that_cannot_be_stored_takes_no_other_with_it(night: Night, invite: Invite, warehouse_url: str) -> None:
    for industry in ("retail", "healthcare", "logistics", "other"):
        invite({**RETAIL, "industry": industry})
    with psycopg.connect(warehouse_url) as saboteur:
        saboteur.execute(
            b"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM pg_sleep(0.1); "
            b"IF NEW.context ->> 'industry' = 'retail' THEN RAISE EXCEPTION 'no retail'; END IF; RETURN NEW; END$$"
        )
        saboteur.execute("CREATE TRIGGER refuse BEFORE INSERT ON ops.copy FOR EACH ROW EXECUTE FUNCTION refuse()")

    with pytest.raises(psycopg.errors.RaiseException, match="no retail"):
        night.write(max_concurrency=4)

    night.connection.rollback()
    assert night.rows("SELECT status, count(*) FROM ops.llm_call GROUP BY 1 ORDER BY 1") == [("in_flight", 1), ("ok", 3)]
    assert night.rows("SELECT count(*) FROM ops.copy") == [(3,)]


class LosesTheWarehouse(Wrapped):
    """The warehouse ends every connection to it while a call is out."""

    def __init__(self, model: ChatModel, warehouse_url: str) -> None:
        super().__init__(model)
        self.warehouse_url = warehouse_url

    async def ask(self, *request: Any) -> Answer:
        with psycopg.connect(self.warehouse_url, autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        return await super().ask(*request)


@pytest.mark.timeout(30)
def test_a_lost_warehouse_ends_the_stage_at_once(night: Night, invite: Invite, warehouse_url: str) -> None:
    for industry in ("retail", "healthcare", "logistics"):
        invite({**RETAIL, "industry": industry})

    with pytest.raises(psycopg.OperationalError):
        night.write(wrap=lambda model: LosesTheWarehouse(model, warehouse_url))


class SecondWaitsForFirst(Wrapped):
    """Answers the second request only once another connection sees the first answer in the store."""

    def __init__(self, model: ChatModel, warehouse_url: str) -> None:
        super().__init__(model)
        self.warehouse_url, self.asked = warehouse_url, 0

    async def ask(self, *request: Any) -> Answer:
        self.asked += 1
        if self.asked == 2:
            async with asyncio.timeout(5):
                while not self.stored():
                    await asyncio.sleep(0.02)
        return await self.model.ask(*request)

    def stored(self) -> bool:
        with psycopg.connect(self.warehouse_url) as other:
            return other.execute("SELECT count(*) > 0 FROM ops.copy WHERE origin = 'model'").fetchone() == (True,)


def test_an_answer_is_safe_while_others_are_still_awaited(night: Night, invite: Invite, warehouse_url: str) -> None:
    invite(RETAIL)
    invite({**RETAIL, "industry": "healthcare"})

    counts = night.write(max_concurrency=2, wrap=lambda model: SecondWaitsForFirst(model, warehouse_url))

    assert (counts.model_calls, counts.unanswered) == (2, 0)


class BreaksOnce(Wrapped):
    """Fails at its third request in a way that nobody foresaw; or what it says it sent does."""

    asked = 0

    async def ask(self, *request: Any) -> Answer:
        self.asked += 1
        if self.asked == 3:
            raise RuntimeError("odd")
        return await self.model.ask(*request)


class BreaksWhenJudged(Wrapped):
    """Its answers cannot be judged."""

    def sent(self, parameters: dict[str, Any]) -> dict[str, Any]:
        raise RuntimeError("odd")


@pytest.mark.timeout(30)
@pytest.mark.parametrize("wrap", [BreaksOnce, BreaksWhenJudged])
@pytest.mark.parametrize("changes", [{"max_concurrency": 1}, {"budget": {"run_tokens": 9_000}}])
def test_a_failure_that_nobody_foresaw_ends_the_stage_and_is_on_the_bill(
    night: Night, invite: Invite, wrap: type[Wrapped], changes: dict[str, Any]
) -> None:
    for industry, product in product_of(("retail", "healthcare", "logistics", "other"), ("LF-COUNT", "LF-SCAN", "LF-ROUTE")):
        invite({**RETAIL, "industry": industry, "recent_product": product})

    with pytest.raises(RuntimeError, match="odd"):
        night.write(wrap=wrap, **changes)

    night.connection.rollback()
    failed = night.rows("SELECT error, cost_usd > 0 FROM ops.llm_call WHERE status = 'server_error'")
    assert set(failed) == {("unforeseen: RuntimeError: odd", True)}
    assert night.rows("SELECT count(*) FROM ops.llm_call WHERE status = 'in_flight'") == [(0,)]
    assert night.rows("SELECT DISTINCT reserved_usd, reserved_tokens FROM ops.budget") == [(0, 0)]
