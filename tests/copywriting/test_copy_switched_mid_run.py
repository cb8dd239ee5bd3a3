"""Switches and pins that are set while a night is being written."""

import asyncio
import itertools
import logging
from datetime import date
from typing import Any

import psycopg
import pytest
from copy_night import CAMPAIGN, DAY, RETAIL, SECOND_MODEL, Invite, Night

from nurture.copywriting.budget import Purse, worst_case
from nurture.copywriting.calling import Caller
from nurture.copywriting.calls import PlannedCall, begin_calls
from nurture.copywriting.chat_model import Answer
from nurture.copywriting.copybook import Copybook
from nurture.copywriting.fallover import Lane
from nurture.copywriting.journal import Journal
from nurture.copywriting.pacing import Pace
from nurture.copywriting.prices import load_prices
from nurture.copywriting.requests import CopyRequest
from nurture.copywriting.store import Run
from nurture.copywriting.switch import MODEL, TEMPLATE, set_switch
from nurture.copywriting.vocabulary import normalise

RUN = Run(CAMPAIGN, "manual__1", CAMPAIGN)
PIN = "INSERT INTO ops.switch (name, campaign, is_on, value) VALUES ('{}', '{}', true, '{}')"


@pytest.fixture
def six(invite: Invite) -> None:
    """Six pieces to be written."""
    for industry, product in itertools.product(("retail", "healthcare", "logistics"), ("LF-COUNT", "LF-SCAN")):
        invite({**RETAIL, "industry": industry, "recent_product": product})


def set_at_the_first_call(change: str, warehouse_url: str) -> None:
    """A trigger on noted calls stands for the person who sets the switch."""
    with psycopg.connect(warehouse_url) as person:
        person.execute(
            f"CREATE FUNCTION pull() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {change} ON CONFLICT (name, campaign) "
            "DO UPDATE SET is_on = excluded.is_on, value = excluded.value; RETURN NULL; END$$".encode()
        )
        person.execute("CREATE TRIGGER pull AFTER INSERT ON ops.llm_call FOR EACH ROW EXECUTE FUNCTION pull()")


@pytest.mark.parametrize("campaign", ["*", CAMPAIGN])
def test_the_switch_acts_in_the_middle_of_a_run(night: Night, six: None, warehouse_url: str, campaign: str) -> None:
    """One more call was ready to go out."""
    off = f"INSERT INTO ops.switch (name, campaign, is_on) VALUES ('ai_personalization', '{campaign}', false)"
    set_at_the_first_call(off, warehouse_url)

    counts = night.write(max_concurrency=1)

    assert counts.model_calls <= 2
    assert (counts.switched_off, counts.pinned_to_another, counts.static) == (True, None, 6)


@pytest.mark.parametrize(
    ("name", "campaign", "value"),
    [
        (TEMPLATE, CAMPAIGN, "lead_nurture@v2"),
        (MODEL, CAMPAIGN, "sandbox-writer-1-mini"),
        (MODEL, "*", "sandbox-writer-1-mini"),
    ],
)
def test_a_pin_to_something_else_stops_the_run_which_says_why_and_a_second_try_goes_on_when_it_is_gone(
    night: Night, six: None, warehouse_url: str, caplog: pytest.LogCaptureFixture, name: str, campaign: str, value: str
) -> None:
    set_at_the_first_call(PIN.format(name, campaign, value), warehouse_url)

    with caplog.at_level(logging.WARNING, logger="nurture"):
        counts = night.write(max_concurrency=1)
    night.connection.execute("DROP TRIGGER pull ON ops.llm_call")
    set_switch(night.connection, name, campaign, value=None, changed_by="test")
    night.connection.commit()
    again = night.write()

    assert 1 <= counts.model_calls <= 2
    assert (counts.pinned_to_another, counts.switched_off, counts.unanswered) == (name, False, 6 - counts.model_calls)
    assert caplog.text.count(f"{CAMPAIGN} was pinned to another {name} since this run began") == 1
    assert (again.pinned_to_another, again.unanswered, again.from_store) == (None, 0, counts.model_calls)
    assert night.rows("SELECT DISTINCT reserved_usd, reserved_tokens FROM ops.budget") == [(0, 0)]


@pytest.mark.parametrize(
    ("name", "campaign", "value"),
    [
        (TEMPLATE, CAMPAIGN, "lead_nurture@v1"),
        (MODEL, "*", "sandbox-writer-1"),
        (MODEL, "cart_recovery", "sandbox-writer-1-mini"),
    ],
)
def test_a_pin_to_what_is_written_anyway_or_of_another_campaign_stops_nothing(
    night: Night, six: None, warehouse_url: str, name: str, campaign: str, value: str
) -> None:
    set_at_the_first_call(PIN.format(name, campaign, value), warehouse_url)

    counts = night.write(max_concurrency=1)

    assert (counts.pinned_to_another, counts.unanswered, counts.model_calls) == (None, 0, 6)


def requests_of(book: Copybook, model: str) -> list[CopyRequest]:
    contexts = [{**RETAIL, "industry": industry} for industry in ("retail", "healthcare", "logistics", "other")]
    return [book.model_request(normalise(context, book.vocabulary), model) for context in contexts]


def planned(night: Night, book: Copybook, model: str, run: Run = RUN) -> PlannedCall:
    request = requests_of(book, model)[0]
    purse = Purse.of(run, night.policy.budget, date.fromisoformat(DAY))
    return PlannedCall(request, model, 1, worst_case(request, None), purse)


def test_a_pin_stops_only_the_models_that_it_does_not_name(night: Night, book: Copybook) -> None:
    set_switch(night.connection, MODEL, "*", value="sandbox-writer-1", changed_by="test")
    set_switch(night.connection, MODEL, CAMPAIGN, value=SECOND_MODEL, changed_by="test")

    first, second = begin_calls(
        night.connection, RUN, [planned(night, book, "sandbox-writer-1"), planned(night, book, SECOND_MODEL)]
    )

    assert (first.call_id, first.forbidden_by) == (None, MODEL)
    assert second.forbidden_by is None
    assert night.rows("SELECT llm_call_id, model FROM ops.llm_call") == [(second.call_id, SECOND_MODEL)]


@pytest.mark.parametrize(("campaign", "forbidden_by"), [("evaluation", None), (f"{CAMPAIGN}~seed", MODEL)])
def test_a_test_send_follows_the_pins_of_its_campaign_and_an_evaluation_follows_none(
    night: Night, book: Copybook, campaign: str, forbidden_by: str | None
) -> None:
    set_switch(night.connection, MODEL, "*", value=SECOND_MODEL, changed_by="test")
    run = Run("dag", "manual__1", campaign)

    [begun] = begin_calls(night.connection, run, [planned(night, book, "sandbox-writer-1", run)])

    assert begun.forbidden_by == forbidden_by


class Held:
    """Answers, with nothing of use, when it is let go."""

    name = "sandbox-writer-1"

    def __init__(self) -> None:
        self.asked, self.let_go = 0, asyncio.Event()

    def sent(self, parameters: dict[str, Any]) -> dict[str, Any]:
        return parameters

    async def ask(self, *_: Any) -> Answer:
        self.asked += 1
        await self.let_go.wait()
        return Answer("{}", 1, 1)


async def until(condition: Any) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


def test_a_call_that_was_noted_before_the_switch_and_waits_for_its_turn_does_not_go_out(
    night: Night, book: Copybook, warehouse_url: str
) -> None:
    """Of two that may be in flight both are; a third is noted and waits; then a fourth finds the switch off."""
    model, requests = Held(), requests_of(book, Held.name)
    journal = Journal(night.connection, RUN, night.policy.budget)
    caller, tasks = Caller(RUN, journal, night.policy.budget), []

    async def work() -> list[Any]:
        lane = Lane(0, model, load_prices().of(model.name, date.fromisoformat(DAY)), Pace(most=2))
        with psycopg.connect(warehouse_url, autocommit=True) as other:
            noted = lambda: other.execute("SELECT count(*) FROM ops.llm_call").fetchone()  # noqa: E731
            for request in requests[:3]:
                tasks.append(asyncio.create_task(caller.call(lane, request, 1)))
            await until(lambda: noted() == (3,) and model.asked == 2)
            other.execute("UPDATE ops.switch SET is_on = false")
            await caller.call(lane, requests[3], 1)
        model.let_go.set()
        return await asyncio.gather(*tasks)

    answers = asyncio.run(work())

    assert (model.asked, answers[2], caller.tally.switched_off) == (2, None, True)
    assert night.rows("SELECT count(*), count(sent_at) FROM ops.llm_call") == [(2, 2)]
    assert night.rows("SELECT DISTINCT reserved_usd, reserved_tokens FROM ops.budget") == [(0, 0)]
