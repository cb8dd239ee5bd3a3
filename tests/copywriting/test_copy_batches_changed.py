"""Batches that are out when something changes around them: the mode, the model, the vendor, the age."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from batch_night import BatchNight, pass_the_deadline

from nurture.copywriting.batches.batch_run import Waiting

pytestmark = pytest.mark.slow  # batches take their time

Invite = Callable[..., None]


@pytest.fixture
def night(batch_night: BatchNight, invite: Invite) -> BatchNight:
    """Two contexts, and a batch that is out."""
    for industry in ("retail", "healthcare"):
        invite({"industry": industry, "pain_point": "stock errors"})
    batch_night.behave(seconds=3600)
    batch_night.wait()
    return batch_night


def batches(night: BatchNight) -> list[Any]:
    return night.rows("SELECT vendor, state, cost_usd = worst_case_usd FROM ops.llm_batch ORDER BY planned_at, batch_key")


def reserved(night: BatchNight) -> list[Any]:
    return night.rows("SELECT DISTINCT reserved_usd, reserved_tokens FROM ops.budget")


@pytest.mark.parametrize("run_id", ["manual__1", pytest.param("manual__2", marks=pytest.mark.slow)])
def test_a_night_of_calls_waits_for_the_batch_that_is_out_and_does_not_pay_twice(night: BatchNight, run_id: str) -> None:
    night.run_id = run_id
    waiting = night.attempt_in_calls()
    night.behave(seconds=0)

    counts = night.write_in_calls()

    [batch] = night.at_vendor()
    assert isinstance(waiting, Waiting)
    assert waiting.vendor_ids == (batch["id"],)
    assert (counts.clear, counts.model_calls) == (2, 2)
    assert night.rows("SELECT count(*) FROM ops.llm_call WHERE batch_key IS NULL") == [(0,)]
    assert (batches(night), reserved(night)) == ([(night.vendor, "harvested", False)], [(0, 0)])


def test_a_night_of_calls_asks_for_what_the_batch_left_and_for_what_is_new(night: BatchNight, invite: Invite) -> None:
    invite({"industry": "logistics", "pain_point": "stock errors"})
    night.behave(seconds=3600, done_share=0.5)
    pass_the_deadline(night)

    counts = night.write_in_calls()

    assert (counts.clear, counts.model_calls, len(night.at_vendor())) == (3, 3, 1)
    assert night.rows("SELECT count(*) FROM ops.llm_call WHERE batch_key IS NULL") == [(2,)]
    assert reserved(night) == [(0, 0)]


@pytest.mark.slow
def test_a_night_of_calls_does_not_ask_for_what_a_lost_batch_may_be_paid_for(night: BatchNight) -> None:
    night.behave(seconds=3600, cancel_seconds=3600)
    pass_the_deadline(night, hours=2)

    counts = night.write_in_calls()
    again = night.write_in_calls()

    assert (counts.static, counts.model_calls, again.static, again.model_calls) == (2, 0, 2, 0)
    assert batches(night) == [(night.vendor, "failed", True)]


def test_a_batch_at_a_vendor_that_is_no_longer_asked_is_closed_as_lost_a_day_behind_its_deadline(night: BatchNight) -> None:
    first, night.vendor = night.vendor, "anthropic" if night.vendor == "openai" else "openai"
    night.behave(seconds=0)
    night.attempt_in_calls()
    before = batches(night)
    pass_the_deadline(night, hours=25)

    night.run_id = "manual__2"
    night.write_in_calls()

    assert before == [(first, "submitted", False)]
    assert batches(night) == [(first, "failed", True)]
    assert reserved(night) == [(0, 0)]


@pytest.mark.parametrize("batch_night", ["anthropic"], indirect=True)
def test_a_batch_whose_results_the_vendor_has_put_away_is_closed_as_lost(
    night: BatchNight, monkeypatch: pytest.MonkeyPatch
) -> None:
    from anthropic.resources.messages.batches import AsyncBatches

    retrieve = AsyncBatches.retrieve

    async def retrieve_archived(*arguments: Any, **named: Any) -> Any:
        return (await retrieve(*arguments, **named)).model_copy(update={"results_url": None})

    monkeypatch.setattr(AsyncBatches, "retrieve", retrieve_archived)
    night.behave(seconds=0)
    pass_the_deadline(night, hours=30 * 24)

    counts = night.finish(remainder="static")

    assert (counts.static, batches(night), reserved(night)) == (2, [("anthropic", "failed", True)], [(0, 0)])


@pytest.mark.parametrize("batch_night", ["openai"], indirect=True)
def test_a_batch_costs_what_its_own_model_costs_whichever_is_asked_now(night: BatchNight) -> None:
    night.behave(seconds=0)

    night.finish(model="unheard-of")

    [(cost,)] = night.rows("SELECT cost_usd FROM ops.llm_batch")
    assert cost > Decimal(0)


def test_a_batch_that_was_just_given_up_is_not_waited_for(night: BatchNight) -> None:
    night.behave(seconds=3600, cancel_seconds=3600)
    pass_the_deadline(night, hours=48)
    night.run_id = "manual__2"

    waiting = night.wait()

    [new] = night.rows("SELECT vendor_id FROM ops.llm_batch WHERE state = 'submitted'")
    assert waiting.vendor_ids == new
