"""A night of copy in batches: half the price, within the budget, and nothing lost of what a vendor refuses."""

import pytest
from batch_night import BatchNight, reserved, states, statuses

pytestmark = pytest.mark.slow  # batches take their time


@pytest.fixture
def night(four_contexts: BatchNight) -> BatchNight:
    return four_contexts


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


def test_a_batch_that_is_settled_after_midnight_counts_on_the_day_on_which_it_was_planned(night: BatchNight) -> None:
    night.behave(seconds=3600)
    night.wait()
    night.connection.execute("UPDATE ops.llm_batch SET planned_at = planned_at - interval '1 day'")
    night.connection.execute(
        "UPDATE ops.budget SET key = (SELECT CASE scope WHEN 'day' THEN utc::date::text"
        " ELSE 'lead_nurture/' || to_char(utc, 'YYYY-MM') END FROM (SELECT planned_at AT TIME ZONE 'UTC' AS utc"
        " FROM ops.llm_batch) AS planned) WHERE scope <> 'run'"
    )
    before = night.rows("SELECT scope, key FROM ops.budget ORDER BY scope")
    night.behave(seconds=0)

    night.finish()

    [(cost,)] = night.rows("SELECT cost_usd FROM ops.llm_batch")
    settled = night.rows("SELECT scope, key, reserved_usd, reserved_tokens, spent_usd FROM ops.budget ORDER BY scope")
    assert settled == [(*row, 0, 0, cost) for row in before]


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


def test_a_waiting_night_names_its_batch_and_the_deadline_and_has_no_messages(night: BatchNight) -> None:
    night.behave(seconds=3600)

    waiting = night.wait(deadline_hours=3)

    [(vendor_id, deadline, hours)] = night.rows(
        "SELECT vendor_id, deadline, round(extract(epoch FROM deadline - planned_at) / 3600) FROM ops.llm_batch"
    )
    assert (waiting.vendor_ids, waiting.until, hours) == ((vendor_id,), deadline, 3)
    assert night.rows("SELECT count(*) FROM ops.message") == [(0,)]


def test_batches_are_no_larger_than_policy_says(night: BatchNight) -> None:
    counts = night.finish(max_requests_per_batch=3)

    assert [len(batch["custom_ids"]) for batch in night.at_vendor()] == [3, 1]
    assert counts.clear == 4


def test_requests_that_fail_alone_are_asked_for_one_by_one(night: BatchNight) -> None:
    night.behave(error_share=0.25)

    counts = night.finish()

    assert (counts.clear, counts.model_calls) == (4, 5)
    assert statuses(night) == ["ok", "ok", "ok", "server_error"]
    assert night.rows("SELECT status FROM ops.llm_call WHERE batch_key IS NULL") == [("ok",)]


def test_a_batch_that_the_vendor_refuses_costs_nothing_and_is_not_made_again(night: BatchNight) -> None:
    night.behave(refuse_batch="token_limit_exceeded")

    counts = night.finish(remainder="static")
    again = night.finish(remainder="static")

    assert (counts.static, again.static, len(night.at_vendor())) == (8, 8, 1 if night.vendor == "openai" else 0)
    assert night.rows("SELECT state, cost_usd, error ~ 'token_limit_exceeded' FROM ops.llm_batch") == [("failed", 0, True)]
    assert reserved(night) == (0, 0)


def test_an_answer_that_the_guardrails_reject_is_kept_as_such_and_its_people_get_static_copy(night: BatchNight) -> None:
    night.server.misbehave("invented_price")

    counts = night.finish()

    assert (counts.rejected, counts.static, len(night.at_vendor())) == (4, 8, 1)
    assert statuses(night) == ["bad_answer"] * 4
    assert night.rows("SELECT count(*) FROM ops.dead_letter WHERE source = 'llm.copy'") == [(4,)]


def test_a_refused_key_ends_in_static_copy_and_makes_no_batch(night: BatchNight) -> None:
    counts = night.finish(api_key="wrong")

    assert (counts.static, counts.refused, night.at_vendor()) == (8, True, [])
    assert (night.finish().clear, states(night)) == (4, ["cancelled", "harvested"])


def test_a_model_without_a_price_is_put_into_no_batch(night: BatchNight) -> None:
    counts = night.finish(model="unheard-of")

    assert (counts.static, counts.unpriced, night.at_vendor()) == (8, True, [])


def test_a_text_of_the_vendor_that_postgresql_does_not_take_does_not_stop_the_night(night: BatchNight) -> None:
    night.behave(refuse_batch="token\0_limit_exceeded")

    counts = night.finish(remainder="static")

    assert (counts.static, states(night)) == (8, ["failed"])
    assert night.rows("SELECT DISTINCT error ~ 'limit_exceeded' FROM ops.llm_call") == [(True,)]
