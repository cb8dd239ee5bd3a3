"""What synthetic people do after a message, against the effect that is known to be true."""

from datetime import date

import pytest

from sandbox.world import generate, respond
from sandbox.world.response import CLICK_RATE, conversion_rate, true_effect

pytestmark = pytest.mark.slow  # thousands of people, to see a rate come out

PEOPLE = generate(people=2000, days=1, last_day=date(2026, 11, 21)).people


def test_a_response_repeats_for_a_seed() -> None:
    assert [respond(p, "ai", 1) for p in PEOPLE] == [respond(p, "ai", 1) for p in PEOPLE]
    assert [respond(p, "ai", 1) for p in PEOPLE] != [respond(p, "ai", 2) for p in PEOPLE]


def test_who_gets_no_message_has_no_email_events_and_may_convert_all_the_same() -> None:
    responses = [respond(p, "none", seed) for p in PEOPLE for seed in range(5)]

    assert not any(r.email_events for r in responses)
    assert any(r.converted for r in responses)


@pytest.mark.parametrize("arm", ["ai", "static", "none"])
def test_observed_rates_come_out_at_the_true_ones(arm: str) -> None:
    responses = [respond(p, arm, seed) for p in PEOPLE for seed in range(20)]

    converted = sum(r.converted for r in responses) / len(responses)
    assert converted == pytest.approx(sum(conversion_rate(p, arm) for p in PEOPLE) / len(PEOPLE), abs=0.004)
    assert sum(r.clicked for r in responses) / len(responses) == pytest.approx(CLICK_RATE[arm], abs=0.004)


def test_the_true_effect_of_ai_over_static_is_known_and_positive() -> None:
    mean = sum(p.base_conversion_rate for p in PEOPLE) / len(PEOPLE)

    assert true_effect(PEOPLE, "ai", "static") == pytest.approx(0.25 * mean, rel=0.01)
