"""Copy in batches when the first vendor takes none: a second one is asked for all of it, one by one."""

import pytest
from batch_night import MODELS, BatchNight, reserved, states

from nurture.copywriting.prices import Prices

pytestmark = pytest.mark.slow  # batches take their time

WRONG = [{"api_key": "wrong"}, {"model": "unheard-of"}]


@pytest.fixture
def night(four_contexts: BatchNight) -> BatchNight:
    return four_contexts


@pytest.mark.parametrize("wrong", WRONG)
def test_the_second_model_writes_when_the_first_vendor_refuses_or_has_no_price(
    night: BatchNight, wrong: dict[str, str]
) -> None:
    second = MODELS[night.other]

    counts = night.finish(second=True, **wrong)

    assert (counts.clear, counts.static, counts.unanswered, counts.fell_over_to) == (4, 0, 0, second)
    assert (counts.refused, counts.unpriced) == ("api_key" in wrong, "model" in wrong)
    assert night.rows("SELECT model, status, count(*) FROM ops.llm_call GROUP BY 1, 2") == [(second, "ok", 4)]
    assert night.rows("SELECT count(*), count(DISTINCT copy_id) FROM ops.message") == [(8, 4)]
    assert (night.at_vendor(), reserved(night)) == ([], (0, 0))


def test_what_the_second_model_wrote_is_not_asked_for_again_and_new_contexts_go_into_batches(night: BatchNight) -> None:
    night.connection.execute("CREATE TABLE late AS SELECT * FROM marts.audience WHERE context ->> 'industry' = 'retail'")
    night.connection.execute("DELETE FROM marts.audience WHERE context ->> 'industry' = 'retail'")
    night.finish(second=True, api_key="wrong")
    night.connection.execute("INSERT INTO marts.audience SELECT * FROM late")

    counts = night.finish(second=True)

    assert (counts.from_store, counts.model_calls, counts.clear, counts.fell_over_to) == (3, 1, 4, None)
    assert [len(batch["custom_ids"]) for batch in night.at_vendor()] == [1]


@pytest.mark.parametrize("wrong", WRONG)
def test_where_policy_says_static_nobody_takes_over(night: BatchNight, wrong: dict[str, str]) -> None:
    counts = night.finish(second=True, remainder="static", **wrong)

    assert (counts.static, counts.model_calls, counts.fell_over_to) == (8, 0, None)


def test_a_piece_that_a_batch_may_still_bring_is_not_paid_for_at_the_second_vendor(night: BatchNight) -> None:
    night.behave(seconds=3600)
    night.wait(second=True)

    counts = night.finish(second=True, api_key="wrong")
    night.behave(seconds=0)
    later = night.finish(second=True)

    assert (counts.static, counts.model_calls, counts.refused) == (8, 0, True)
    assert (later.clear, later.model_calls, states(night)) == (4, 4, ["harvested"])


def test_what_a_cap_leaves_out_of_a_batch_stays_static_where_no_price_is_needed(
    night: BatchNight, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Prices, "of", lambda *_: None)
    night.policy = night.policy.model_copy(update={"allow_unpriced_models": True})
    night.behave(seconds=3600)
    night.wait()
    [(worst,)] = night.rows("SELECT worst_case_tokens FROM ops.llm_batch")
    night.forget()
    night.behave()
    half = night.policy.budget.model_copy(update={"run_tokens": int(worst * 0.6)})
    night.policy = night.policy.model_copy(update={"budget": half})

    counts = night.finish(second=True)

    assert (counts.clear, counts.unanswered, counts.model_calls, counts.capped_by) == (2, 2, 2, "run_tokens")
