"""Batches that end before they are done: at the deadline, by the vendor, by the switch."""

import pytest
from batch_night import BatchNight, pass_the_deadline, reserved, states, statuses, switch

pytestmark = pytest.mark.slow  # batches take their time


@pytest.fixture
def night(four_contexts: BatchNight) -> BatchNight:
    return four_contexts


@pytest.mark.parametrize(("remainder", "clear", "calls"), [("synchronous", 4, 4), ("static", 2, 2)])
def test_of_an_expired_batch_the_finished_part_is_kept_and_policy_says_what_becomes_of_the_rest(
    night: BatchNight, remainder: str, clear: int, calls: int
) -> None:
    night.behave(expires=True, done_share=0.5)

    counts = night.finish(remainder=remainder)

    assert (counts.clear, counts.model_calls, counts.unanswered) == (clear, calls, 4 - clear)
    assert (states(night), statuses(night)) == (["expired"], ["expired", "expired", "ok", "ok"])
    assert reserved(night) == (0, 0)


def test_at_the_deadline_the_batch_is_cancelled_and_its_finished_part_is_kept(night: BatchNight) -> None:
    night.behave(seconds=3600, done_share=0.5)
    night.wait()
    pass_the_deadline(night)

    counts = night.finish(remainder="static")

    assert [batch["cancel_asked"] for batch in night.at_vendor()] == [True]
    assert (counts.clear, counts.unanswered) == (2, 2)
    assert (states(night), statuses(night)) == (["expired"], ["cancelled", "cancelled", "ok", "ok"])


def test_a_cancelled_batch_is_waited_for_until_the_vendor_has_ended_it(night: BatchNight) -> None:
    night.behave(seconds=3600, cancel_seconds=3600)
    night.wait()
    pass_the_deadline(night)

    waiting = night.wait(cancel_seconds=900)

    [(seconds,)] = night.rows(f"SELECT round(extract(epoch FROM '{waiting.until}' - deadline)) FROM ops.llm_batch")
    assert (seconds, states(night)) == (900, ["submitted"])


def test_a_batch_that_never_ends_stays_on_the_bill_and_is_not_paid_for_again(night: BatchNight) -> None:
    night.behave(seconds=3600, cancel_seconds=3600)
    night.wait()
    pass_the_deadline(night, hours=1)

    counts = night.finish(cancel_seconds=900, remainder="synchronous")

    assert (counts.static, counts.model_calls, len(night.at_vendor())) == (8, 0, 1)
    assert night.rows("SELECT state, cost_usd = worst_case_usd FROM ops.llm_batch") == [("failed", True)]
    assert night.rows("SELECT spent_usd = (SELECT cost_usd FROM ops.llm_batch) FROM ops.budget") == [(True,)] * 3


def test_the_switch_cancels_what_is_out_and_everyone_gets_static_copy_at_once(night: BatchNight) -> None:
    night.behave(seconds=3600, cancel_seconds=3600, done_share=0.5)
    night.wait()
    switch(night, is_on=False)

    counts = night.finish()

    assert [batch["cancel_asked"] for batch in night.at_vendor()] == [True]
    assert (counts.static, counts.switched_off, counts.model_calls) == (8, True, 0)


def test_what_a_switched_off_batch_had_finished_is_used_when_the_switch_is_on_again(night: BatchNight) -> None:
    night.behave(seconds=3600, cancel_seconds=3600, done_share=0.5)
    night.wait()
    switch(night, is_on=False)
    night.finish()
    switch(night, is_on=True)
    night.behave(cancel_seconds=0, seconds=3600, done_share=0.5)

    night.wait()

    assert [len(batch["custom_ids"]) for batch in night.at_vendor()] == [4, 2]
    assert states(night) == ["cancelled", "submitted"]


def test_nothing_is_planned_or_made_while_the_switch_is_off(night: BatchNight) -> None:
    switch(night, is_on=False)

    counts = night.finish()

    assert (counts.static, counts.switched_off) == (8, True)
    assert (night.at_vendor(), states(night)) == ([], [])
