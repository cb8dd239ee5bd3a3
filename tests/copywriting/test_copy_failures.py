"""Endpoints that fail, and attempts that are killed: nothing is paid for twice, and nobody waits."""

import asyncio
from contextlib import suppress
from itertools import product as product_of
from typing import Any

import psycopg
import pytest
from copy_night import RETAIL, Invite, Night, Wrapped

from nurture.copywriting.chat_model import Answer, ChatModel
from nurture.errors import NurtureError

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


@pytest.mark.slow
def test_a_slow_answer_is_given_up_and_its_worst_case_stays_on_the_bill(night: Night, invite: Invite) -> None:
    night.server.misbehave("slow", times=1, delay_seconds=3)
    invite(RETAIL)

    counts = night.write(timeout_seconds=1)

    timed_out, answered = night.rows("SELECT status, cost_usd FROM ops.llm_call ORDER BY attempt")
    assert (timed_out[0], answered[0]) == ("timeout", "ok")
    assert timed_out[1] > answered[1] > 0
    assert counts.model_calls == 2


@pytest.mark.slow
def test_the_wait_that_the_endpoint_asks_for_is_honoured(night: Night, invite: Invite) -> None:
    night.server.misbehave("rate_limited", times=1, retry_after_seconds=0.8)
    invite(RETAIL)

    night.write()

    [(gap,)] = night.rows(
        "SELECT extract(epoch FROM max(called_at) - min(called_at)) * 1000 - max(latency_ms) FILTER (WHERE attempt = 1)"
        " FROM ops.llm_call"
    )
    assert gap >= 750


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


def test_a_killed_stage_keeps_what_was_paid_for(night: Night, invite: Invite, warehouse_url: str) -> None:
    for industry in ("retail", "healthcare", "logistics"):
        invite({**RETAIL, "industry": industry})
    with psycopg.connect(warehouse_url) as saboteur:
        saboteur.execute(
            b"CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN "
            b"IF (SELECT count(*) FROM ops.llm_call WHERE status = 'ok') > 2 THEN RAISE EXCEPTION 'killed'; END IF; "
            b"RETURN NULL; END$$"
        )
        saboteur.execute("CREATE TRIGGER die AFTER UPDATE ON ops.llm_call FOR EACH ROW EXECUTE FUNCTION die()")
    with pytest.raises(psycopg.errors.RaiseException, match="killed"):
        night.write(max_concurrency=1)
    night.connection.rollback()
    night.connection.execute("DROP TRIGGER die ON ops.llm_call")
    night.connection.commit()

    again = night.write()

    assert (again.contexts, again.from_store, again.model_calls) == (3, 2, 1)


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


class Killed(BaseException):
    """The end of a process, in the middle of a call."""


class KilledWhileAsked(Wrapped):
    """Looks, as another process would, at what is noted while a call is out; then the attempt is killed."""

    def __init__(self, model: ChatModel, warehouse_url: str) -> None:
        super().__init__(model)
        self.warehouse_url = warehouse_url
        self.noted: list[tuple[Any, ...]] = []

    async def ask(self, *request: Any) -> Answer:
        with psycopg.connect(self.warehouse_url) as other:
            self.noted = other.execute("SELECT status, cost_usd > 0, run_id FROM ops.llm_call").fetchall()
        raise Killed


def test_a_call_that_was_out_at_a_kill_stays_on_the_bill_of_the_retry(
    night: Night, invite: Invite, warehouse_url: str
) -> None:
    invite(RETAIL)
    models: list[KilledWhileAsked] = []

    def killed(model: ChatModel) -> ChatModel:
        models.append(KilledWhileAsked(model, warehouse_url))
        return models[0]

    with pytest.raises((Killed, BaseExceptionGroup)):
        night.write(wrap=killed)
    night.connection.rollback()
    [(worst_case,)] = night.rows("SELECT cost_usd FROM ops.llm_call")
    capped = night.write(budget={"run_usd": float(worst_case) * 1.5})
    again = night.write()

    assert models[0].noted == [("in_flight", True, night.run_id)]
    assert (capped.capped_by, capped.model_calls, capped.static) == ("run_usd", 0, 1)
    assert (again.model_calls, again.unanswered) == (1, 0)
    assert night.rows("SELECT status FROM ops.llm_call ORDER BY called_at") == [("in_flight",), ("ok",)]


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


class NeverAnswers(Wrapped):
    """Takes requests and says nothing."""

    async def ask(self, *request: Any) -> Answer:
        await asyncio.Event().wait()
        raise AssertionError


@pytest.fixture
def six(invite: Invite) -> None:
    """Six pieces to be written."""
    for industry, product in product_of(("retail", "healthcare", "logistics"), ("LF-COUNT", "LF-SCAN")):
        invite({**RETAIL, "industry": industry, "recent_product": product})


async def cancelled(night: Night, calls: int, warehouse_url: str) -> None:
    """An attempt that is cancelled once so many calls are noted, two of them sent."""
    async with await psycopg.AsyncConnection.connect(warehouse_url, autocommit=True) as other:
        attempt = asyncio.create_task(night.writing(wrap=NeverAnswers, max_concurrency=2))
        async with asyncio.timeout(10):
            while await noted(other) != (calls, 2):
                await asyncio.sleep(0.02)
        attempt.cancel()
        with suppress(asyncio.CancelledError):
            await attempt


async def noted(other: psycopg.AsyncConnection) -> tuple[int, int] | None:
    found = await other.execute("SELECT count(*), count(sent_at) FROM ops.llm_call")
    return await found.fetchone()


def test_a_cancelled_attempt_pays_only_for_what_went_out(night: Night, six: None, warehouse_url: str) -> None:
    asyncio.run(cancelled(night, 4, warehouse_url))

    night.connection.rollback()
    [(calls, sent, worst)] = night.rows("SELECT count(*), count(sent_at), sum(cost_usd) FROM ops.llm_call")
    assert (calls, sent) == (2, 2)
    assert night.rows("SELECT DISTINCT reserved_usd FROM ops.budget") == [(worst,)]


def test_what_a_killed_attempt_never_sent_is_money_for_its_retry(
    night: Night, six: None, warehouse_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as kill:
        kill.setattr("nurture.copywriting.journal.Journal.close", lambda journal: None)  # SIGKILL lets nothing tidy up
        asyncio.run(cancelled(night, 4, warehouse_url))
    night.connection.rollback()
    [(left, worst)] = night.rows("SELECT count(*), sum(worst_case_tokens) FROM ops.llm_call")

    retry = night.write(budget={"run_tokens": int(worst * 3 / 2)})

    assert (left, retry.model_calls, retry.capped_by) == (4, 6, None)
    assert night.rows("SELECT status, count(*) FROM ops.llm_call GROUP BY 1 ORDER BY 1") == [("in_flight", 2), ("ok", 6)]
    assert night.rows("SELECT DISTINCT reserved_usd = (SELECT sum(cost_usd) FROM ops.llm_call WHERE status = 'in_flight')"
                      " FROM ops.budget") == [(True,)]  # fmt: skip


class LosesItsNotes(Wrapped):
    """While its first request is out, another attempt of the run begins."""

    def __init__(self, model: ChatModel, warehouse_url: str) -> None:
        super().__init__(model)
        self.warehouse_url = warehouse_url

    async def ask(self, *request: Any) -> Answer:
        async with await psycopg.AsyncConnection.connect(self.warehouse_url, autocommit=True) as other:
            async with asyncio.timeout(10):
                while await noted(other) != (2, 1):
                    await asyncio.sleep(0.02)
            await other.execute("DELETE FROM ops.llm_call WHERE sent_at IS NULL")
        return await super().ask(*request)


def test_a_call_whose_note_was_taken_back_by_the_next_attempt_does_not_go_out(
    night: Night, six: None, warehouse_url: str
) -> None:
    with pytest.raises(NurtureError, match="another attempt of run manual__1"):
        night.write(wrap=lambda model: LosesItsNotes(model, warehouse_url), max_concurrency=1)

    assert len(night.prompts()) == 1
