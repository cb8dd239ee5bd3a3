"""Attempts that are killed: what was paid for is kept, and nothing is paid for twice."""

import asyncio
from contextlib import suppress
from datetime import date
from itertools import product as product_of
from typing import Any

import psycopg
import pytest
from copy_night import CAMPAIGN, DAY, RETAIL, Invite, Night, Wrapped

from nurture.copywriting.budget import NOTHING, Purse, worst_case
from nurture.copywriting.calls import CallOutcome, PlannedCall
from nurture.copywriting.chat_model import Answer, ChatModel
from nurture.copywriting.copybook import Copybook
from nurture.copywriting.guardrails import Verdict
from nurture.copywriting.journal import Ended, Journal
from nurture.copywriting.store import Kept, Run
from nurture.copywriting.vocabulary import normalise
from nurture.errors import NurtureError

pytestmark = pytest.mark.slow  # failures, and the waits between attempts


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


def test_answers_that_nobody_waits_for_any_more_are_kept_when_a_run_ends(
    night: Night, book: Copybook, warehouse_url: str
) -> None:
    """The first answer is being written, which takes long, and the second comes up meanwhile; then the run is over."""
    run = Run(CAMPAIGN, night.run_id, CAMPAIGN)
    purse = Purse.of(run, night.policy.budget, date.fromisoformat(DAY))
    contexts = [normalise({**RETAIL, "industry": industry}, book.vocabulary) for industry in ("retail", "healthcare")]
    requests = [book.model_request(context, "sandbox-writer-1") for context in contexts]
    plans = [PlannedCall(request, "sandbox-writer-1", 1, worst_case(request, None), purse) for request in requests]

    async def work() -> None:
        journal = Journal(night.connection, run, night.policy.budget)
        with psycopg.connect(warehouse_url) as other:
            begun = [await journal.begin(plan) for plan in plans]
            other.execute("LOCK TABLE ops.copy")
            writing = []
            for plan, note in zip(plans, begun, strict=True):
                assert note.call_id is not None
                kept = Kept(plan.request, {"unreadable": "x"}, Verdict("rejected"))
                ended = Ended(CallOutcome(note.call_id, plan, "ok", 0.1, NOTHING), kept)
                writing.append(asyncio.create_task(journal.end(ended)))
                await asyncio.sleep(0)
                async with asyncio.timeout(10):
                    while other.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone() == (0,):
                        await asyncio.sleep(0.01)
            other.rollback()
            journal.close()

    asyncio.run(work())

    assert night.rows("SELECT status, count(*) FROM ops.llm_call GROUP BY 1") == [("ok", 2)]
    assert night.rows("SELECT count(*) FROM ops.copy") == [(2,)]
    assert night.rows("SELECT DISTINCT reserved_tokens FROM ops.budget") == [(0,)]


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
