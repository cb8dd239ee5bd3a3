"""A second model takes over when the first is down, and only then."""

from datetime import UTC, datetime
from typing import Any

import pytest
from copy_night import RETAIL, SECOND_MODEL, Invite, Night, Wrapped

from nurture.copywriting.chat_model import Answer, ChatModel
from nurture.copywriting.openai_model import OpenAIModel
from nurture.copywriting.prices import load_prices

pytestmark = pytest.mark.slow  # failures, and the waits between attempts

NOBODY = "http://127.0.0.1:9/v1"


@pytest.fixture
def three(invite: Invite) -> None:
    """Three pieces to be written."""
    for industry in ("retail", "healthcare", "logistics"):
        invite({**RETAIL, "industry": industry})


@pytest.fixture
def six(three: None, invite: Invite) -> None:
    """Six pieces to be written."""
    for industry in ("retail", "healthcare", "logistics"):
        invite({**RETAIL, "industry": industry, "recent_product": "Larkfield Scan"})


@pytest.mark.parametrize(
    ("wrong", "status", "refused"),
    [({"url": NOBODY}, "server_error", False), ({"api_key": "sk-wrong"}, "bad_request", True)],
)
def test_the_second_model_writes_when_the_first_is_down_or_refuses(
    night: Night, three: None, wrong: dict[str, Any], status: str, refused: bool, caplog: pytest.LogCaptureFixture
) -> None:
    counts = night.write(second=True, **wrong)

    assert (counts.fell_over_to, counts.refused) == (SECOND_MODEL, refused)
    assert (counts.unanswered, counts.static, counts.models) == (0, 0, ["sandbox-writer-1", SECOND_MODEL])
    assert night.rows("SELECT model, count(*) FROM ops.copy WHERE origin = 'model' GROUP BY 1") == [(SECOND_MODEL, 3)]
    assert night.rows("SELECT DISTINCT model, status FROM ops.llm_call ORDER BY 1") == [
        (SECOND_MODEL, "ok"),
        ("sandbox-writer-1", status),
    ]
    assert f"{SECOND_MODEL} took over" in caplog.text


def test_what_the_second_model_writes_costs_what_its_own_tokens_cost(night: Night, three: None) -> None:
    night.write(second=True, api_key="sk-wrong")

    prices = load_prices()
    first, second = (prices.of(name, datetime.now(UTC).date()) for name in ("sandbox-writer-1", SECOND_MODEL))
    calls = night.rows(f"SELECT prompt_tokens, completion_tokens, cost_usd FROM ops.llm_call WHERE model = '{SECOND_MODEL}'")
    assert first is not None and second is not None
    assert [cost for _, _, cost in calls] == [second.cost(prompt, completion) for prompt, completion, _ in calls]
    assert sum(cost for _, _, cost in calls) > sum(first.cost(prompt, completion) for prompt, completion, _ in calls)
    assert night.rows("SELECT DISTINCT spent_usd FROM ops.budget") == [(sum(cost for _, _, cost in calls),)]


def test_what_the_second_model_wrote_is_not_asked_for_again_and_the_first_is_tried_again(
    night: Night, three: None, invite: Invite
) -> None:
    night.write(second=True, url=NOBODY)

    again = night.write(second=True)
    invite({**RETAIL, "industry": "other"})
    new = night.write(second=True)

    assert (again.from_store, again.model_calls, again.static) == (3, 0, 0)
    assert (new.from_store, new.model_calls, new.fell_over_to) == (3, 1, None)
    assert night.rows("SELECT model FROM ops.copy WHERE origin = 'model' ORDER BY created_at DESC LIMIT 1") == [
        ("sandbox-writer-1",)
    ]


class DiesAfterOne(Wrapped):
    """Answers once; then its endpoint is gone."""

    def __init__(self, model: ChatModel) -> None:
        super().__init__(model)
        assert isinstance(model, OpenAIModel)
        self.gone = OpenAIModel(model.client.with_options(base_url=NOBODY), model.name, timeout_seconds=5)
        self.asked = 0

    async def ask(self, *request: Any) -> Answer:
        self.asked += 1
        return await (self.model if self.asked == 1 else self.gone).ask(*request)


class FailsForOne(DiesAfterOne):
    """Its endpoint is gone for one of the prompts, whenever it is asked."""

    async def ask(self, *request: Any) -> Answer:
        is_it = "Larkfield Scan" in request[0][1]["content"] and "logistics" in request[0][1]["content"]
        return await (self.gone if is_it else self.model).ask(*request)


def test_the_second_model_takes_over_in_the_middle_of_a_run(night: Night, six: None) -> None:
    counts = night.write(second=True, max_concurrency=1, wrap=DiesAfterOne)

    assert (counts.fell_over_to, counts.unanswered) == (SECOND_MODEL, 0)
    assert night.rows("SELECT model, count(*) FROM ops.copy WHERE origin = 'model' GROUP BY 1 ORDER BY 1") == [
        (SECOND_MODEL, 5),
        ("sandbox-writer-1", 1),
    ]
    [(failed,)] = night.rows("SELECT count(*) FROM ops.llm_call WHERE status = 'server_error'")
    assert 5 <= failed <= 15  # of the pieces that were on their way; the others did not try the first model again


def test_a_piece_that_the_first_model_cannot_write_is_written_by_the_second_alone(
    night: Night, six: None, caplog: pytest.LogCaptureFixture
) -> None:
    counts = night.write(second=True, max_concurrency=1, wrap=FailsForOne)

    assert (counts.fell_over_to, counts.unanswered) == (SECOND_MODEL, 0)
    assert night.rows("SELECT model, count(*) FROM ops.copy WHERE origin = 'model' GROUP BY 1 ORDER BY 1") == [
        (SECOND_MODEL, 1),
        ("sandbox-writer-1", 5),
    ]
    assert "is asked no more" not in caplog.text


def test_errors_that_pass_do_not_make_anyone_take_over(night: Night, three: None) -> None:
    night.server.misbehave("server_error", times=4)

    counts = night.write(second=True, max_concurrency=1)

    assert (counts.fell_over_to, counts.unanswered, counts.model_calls) == (None, 0, 7)


def test_with_both_down_everyone_gets_static_copy(night: Night, three: None) -> None:
    night.server.misbehave("server_error")

    counts = night.write(second=True, max_concurrency=1)

    assert (counts.fell_over_to, counts.unanswered, counts.static) == (None, 3, 3)


def test_copy_is_kept_with_what_its_vendor_was_really_told(night: Night, three: None) -> None:
    night.write(second=True, url=NOBODY)

    [(told,)] = night.rows("SELECT DISTINCT parameters FROM ops.copy WHERE model = 'sandbox-scribe-1'")
    assert list(told) == ["max_tokens"]
