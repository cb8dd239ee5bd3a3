"""A night of copy in batches: half the price, and nothing lost, whatever becomes of the batches."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from batch_night import BatchNight

from nurture.copywriting.switch import set_switch

pytestmark = pytest.mark.slow  # batches take their time

Invite = Callable[..., None]

INDUSTRIES = ("retail", "healthcare", "logistics", "manufacturing")


@pytest.fixture
def night(batch_night: BatchNight, invite: Invite) -> BatchNight:
    """Eight people in four contexts, and no batch yet."""
    for industry in INDUSTRIES:
        invite({"industry": industry, "pain_point": "stock errors"}, people=2)
    return batch_night


def switch(night: BatchNight, *, is_on: bool) -> None:
    set_switch(night.connection, "ai_personalization", "lead_nurture", is_on=is_on, changed_by="test")
    night.connection.commit()


def reserved(night: BatchNight) -> tuple[Decimal, int]:
    """What is set aside for the run."""
    [(usd, tokens)] = night.rows("SELECT reserved_usd, reserved_tokens FROM ops.budget WHERE scope = 'run'")
    return usd, tokens


def pass_the_deadline(night: BatchNight, *, hours: float = 0) -> None:
    night.connection.execute("UPDATE ops.llm_batch SET deadline = clock_timestamp() - make_interval(hours => %s)", (hours,))
    night.connection.commit()


def states(night: BatchNight) -> list[Any]:
    return [row[0] for row in night.rows("SELECT state FROM ops.llm_batch ORDER BY planned_at, batch_key")]


def statuses(night: BatchNight) -> list[Any]:
    return [row[0] for row in night.rows("SELECT status FROM ops.llm_call WHERE batch_key IS NOT NULL ORDER BY status")]


def test_a_night_in_batches_says_what_a_night_of_calls_says_at_half_the_price(night: BatchNight) -> None:
    night.behave(shuffle=True)

    counts = night.finish()

    assert (counts.audience, counts.contexts, counts.model_calls, counts.clear, counts.static) == (8, 4, 4, 4, 0)
    assert night.rows("SELECT count(*), count(DISTINCT copy_id) FROM ops.message") == [(8, 4)]
    in_batches = night.rows("SELECT request_hash, copy_id FROM ops.copy WHERE origin = 'model' ORDER BY 1")
    [(cost,)] = night.rows("SELECT sum(cost_usd) FROM ops.llm_call")
    night.connection.execute(
        "TRUNCATE ops.copy, ops.copy_source, ops.message, ops.llm_call, ops.llm_batch, ops.approval, ops.push_output, "
        "ops.push_ledger"
    )
    night.connection.commit()
    night.write_in_calls()
    assert night.rows("SELECT request_hash, copy_id FROM ops.copy WHERE origin = 'model' ORDER BY 1") == in_batches
    assert night.rows("SELECT sum(cost_usd) FROM ops.llm_call") == [(2 * cost,)]


def test_the_worst_case_is_reserved_while_a_batch_is_out_and_settled_when_it_ended(night: BatchNight) -> None:
    night.behave(seconds=3600)
    night.wait()
    [(worst, tokens)] = night.rows("SELECT worst_case_usd, worst_case_tokens FROM ops.llm_batch")
    while_out = reserved(night)
    night.behave(seconds=0)

    night.finish()

    assert worst > 0
    assert while_out == (worst, tokens)
    assert reserved(night) == (0, 0)
    [(cost, state)] = night.rows("SELECT cost_usd, state FROM ops.llm_batch")
    assert (state, 0 < cost < worst) == ("harvested", True)
    assert night.rows("SELECT DISTINCT spent_usd FROM ops.budget") == [(cost,)]
    assert night.rows("SELECT sum(cost_usd) FROM ops.llm_call") == [(cost,)]


@pytest.mark.slow
def test_what_the_budget_does_not_allow_is_put_into_no_batch(night: BatchNight) -> None:
    night.behave(seconds=3600)
    night.wait()
    [(worst,)] = night.rows("SELECT worst_case_usd FROM ops.llm_batch")
    night.forget()
    night.behave()
    half = night.policy.budget.model_copy(update={"run_usd": float(worst) * 0.6})
    night.policy = night.policy.model_copy(update={"budget": half})

    counts = night.finish()

    assert [len(batch["custom_ids"]) for batch in night.at_vendor()][1:] == [2]
    assert (counts.clear, counts.unanswered, counts.static, counts.capped_by) == (2, 2, 4, "run_usd")


@pytest.mark.slow
def test_a_waiting_night_names_its_batch_and_the_deadline_and_has_no_messages(night: BatchNight) -> None:
    night.behave(seconds=3600)

    waiting = night.wait(deadline_hours=3)

    [(vendor_id, deadline, hours)] = night.rows(
        "SELECT vendor_id, deadline, round(extract(epoch FROM deadline - planned_at) / 3600) FROM ops.llm_batch"
    )
    assert (waiting.vendor_ids, waiting.until, hours) == ((vendor_id,), deadline, 3)
    assert night.rows("SELECT count(*) FROM ops.message") == [(0,)]


@pytest.mark.slow
def test_batches_are_no_larger_than_policy_says(night: BatchNight) -> None:
    counts = night.finish(max_requests_per_batch=3)

    assert [len(batch["custom_ids"]) for batch in night.at_vendor()] == [3, 1]
    assert counts.clear == 4


@pytest.mark.parametrize(("remainder", "clear", "calls"), [("synchronous", 4, 4), ("static", 2, 2)])
def test_of_an_expired_batch_the_finished_part_is_kept_and_policy_says_what_becomes_of_the_rest(
    night: BatchNight, remainder: str, clear: int, calls: int
) -> None:
    night.behave(expires=True, done_share=0.5)

    counts = night.finish(remainder=remainder)

    assert (counts.clear, counts.model_calls, counts.unanswered) == (clear, calls, 4 - clear)
    assert (states(night), statuses(night)) == (["expired"], ["expired", "expired", "ok", "ok"])
    assert reserved(night) == (0, 0)


@pytest.mark.slow
def test_requests_that_fail_alone_are_asked_for_one_by_one(night: BatchNight) -> None:
    night.behave(error_share=0.25)

    counts = night.finish()

    assert (counts.clear, counts.model_calls) == (4, 5)
    assert statuses(night) == ["ok", "ok", "ok", "server_error"]
    assert night.rows("SELECT status FROM ops.llm_call WHERE batch_key IS NULL") == [("ok",)]


@pytest.mark.slow
def test_a_batch_that_the_vendor_refuses_costs_nothing_and_is_not_made_again(night: BatchNight) -> None:
    night.behave(refuse_batch="token_limit_exceeded")

    counts = night.finish(remainder="static")
    again = night.finish(remainder="static")

    assert (counts.static, again.static, len(night.at_vendor())) == (8, 8, 1 if night.vendor == "openai" else 0)
    assert night.rows("SELECT state, cost_usd, error ~ 'token_limit_exceeded' FROM ops.llm_batch") == [("failed", 0, True)]
    assert reserved(night) == (0, 0)


@pytest.mark.slow
def test_an_answer_that_the_guardrails_reject_is_kept_as_such_and_its_people_get_static_copy(night: BatchNight) -> None:
    night.server.misbehave("invented_price")

    counts = night.finish()

    assert (counts.rejected, counts.static, len(night.at_vendor())) == (4, 8, 1)
    assert statuses(night) == ["bad_answer"] * 4
    assert night.rows("SELECT count(*) FROM ops.dead_letter WHERE source = 'llm.copy'") == [(4,)]


def test_at_the_deadline_the_batch_is_cancelled_and_its_finished_part_is_kept(night: BatchNight) -> None:
    night.behave(seconds=3600, done_share=0.5)
    night.wait()
    pass_the_deadline(night)

    counts = night.finish(remainder="static")

    assert [batch["cancel_asked"] for batch in night.at_vendor()] == [True]
    assert (counts.clear, counts.unanswered) == (2, 2)
    assert (states(night), statuses(night)) == (["expired"], ["cancelled", "cancelled", "ok", "ok"])


@pytest.mark.slow
def test_a_cancelled_batch_is_waited_for_until_the_vendor_has_ended_it(night: BatchNight) -> None:
    night.behave(seconds=3600, cancel_seconds=3600)
    night.wait()
    pass_the_deadline(night)

    waiting = night.wait(cancel_seconds=900)

    [(seconds,)] = night.rows(f"SELECT round(extract(epoch FROM '{waiting.until}' - deadline)) FROM ops.llm_batch")
    assert (seconds, states(night)) == (900, ["submitted"])


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_nothing_is_planned_or_made_while_the_switch_is_off(night: BatchNight) -> None:
    switch(night, is_on=False)

    counts = night.finish()

    assert (counts.static, counts.switched_off) == (8, True)
    assert (night.at_vendor(), states(night)) == ([], [])


@pytest.mark.slow
def test_another_run_waits_for_the_same_batch_instead_of_paying_for_its_own(night: BatchNight) -> None:
    night.behave(seconds=3600)
    night.wait()
    night.run_id = "manual__2"
    other = night.wait()
    night.behave(seconds=0)

    counts = night.finish()

    night.run_id = "manual__1"
    first = night.finish()
    assert (len(night.at_vendor()), len(other.vendor_ids)) == (1, 1)
    assert (counts.clear, first.clear, first.from_store) == (4, 4, 4)
    assert (states(night), reserved(night)) == (["harvested"], (0, 0))


@pytest.mark.slow
def test_another_run_takes_only_its_own_part_of_a_batch(night: BatchNight, invite: Invite) -> None:
    night.behave(seconds=3600)
    night.wait()
    night.connection.execute("DELETE FROM marts.audience WHERE context ->> 'industry' <> 'retail'")
    night.connection.commit()
    pass_the_deadline(night)
    night.behave(seconds=0)
    night.run_id = "manual__2"

    other = night.finish()

    assert (other.clear, states(night)) == (1, ["submitted"])
    for industry in INDUSTRIES[1:]:
        invite({"industry": industry, "pain_point": "stock errors"})
    night.run_id = "manual__1"
    own = night.finish()
    assert (own.clear, own.from_store, len(night.at_vendor())) == (4, 1, 1)
    assert (states(night), reserved(night)) == (["harvested"], (0, 0))


@pytest.mark.slow
def test_a_later_run_finds_what_an_abandoned_one_had_paid_for(night: BatchNight, invite: Invite) -> None:
    night.behave(seconds=3600)
    night.wait()
    night.behave(seconds=0)
    night.connection.execute("DELETE FROM marts.audience WHERE context ->> 'industry' <> 'retail'")
    night.connection.commit()
    pass_the_deadline(night, hours=25)
    night.run_id = "manual__2"

    counts = night.finish()

    assert (counts.clear, len(night.at_vendor())) == (1, 1)
    assert (states(night), reserved(night)) == (["harvested"], (0, 0))
    assert night.rows("SELECT count(*) FROM ops.llm_call WHERE cost_usd > 0") == [(4,)]


@pytest.mark.slow
def test_a_refused_key_ends_in_static_copy_and_makes_no_batch(night: BatchNight) -> None:
    counts = night.finish(api_key="wrong")

    assert (counts.static, counts.refused, night.at_vendor()) == (8, True, [])
    assert (night.finish().clear, states(night)) == (4, ["cancelled", "harvested"])


@pytest.mark.slow
def test_a_model_without_a_price_is_put_into_no_batch(night: BatchNight) -> None:
    counts = night.finish(model="unheard-of")

    assert (counts.static, counts.unpriced, night.at_vendor()) == (8, True, [])


def test_a_text_of_the_vendor_that_postgresql_does_not_take_does_not_stop_the_night(night: BatchNight) -> None:
    night.behave(refuse_batch="token\0_limit_exceeded")

    counts = night.finish(remainder="static")

    assert (counts.static, states(night)) == (8, ["failed"])
    assert night.rows("SELECT DISTINCT error ~ 'limit_exceeded' FROM ops.llm_call") == [(True,)]


def test_answers_to_what_is_no_longer_asked_are_counted_in_the_log(
    night: BatchNight, caplog: pytest.LogCaptureFixture
) -> None:
    night.behave(seconds=3600)
    night.wait()
    night.connection.execute("DELETE FROM marts.audience WHERE context ->> 'industry' <> 'retail'")
    night.connection.commit()
    night.behave(seconds=0)

    night.finish()

    [warning] = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    [(cost,)] = night.rows(
        "SELECT sum(cost_usd) FROM ops.llm_call WHERE request_hash NOT IN (SELECT request_hash FROM ops.copy)"
    )
    assert f"3 of its answers, for ${cost:.6f}, are thrown away" in warning
