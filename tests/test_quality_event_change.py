"""Q3: no event name may change by 10 % or more week over week, unless chance explains it or it was announced."""

import datetime
import math
from pathlib import Path

import numpy
import psycopg
import pytest
import yaml

from nurture.paths import CHECKS
from nurture.policy import load_policy
from nurture.quality import gate
from nurture.quality.checks import read_checks
from nurture.quality.verdict import CheckResult
from quality_night import DAY, RUN, add_events, check

pytestmark = pytest.mark.slow  # Great Expectations takes seconds

SEED = 20261121


def event_change(connection: psycopg.Connection) -> CheckResult:
    return check(connection, "staging.events", "event_change")


def test_an_even_stream_passes(warehouse: psycopg.Connection) -> None:
    add_events(warehouse, "form_submit", 500, days_ago=7)
    add_events(warehouse, "form_submit", 500)

    assert event_change(warehouse).status == "pass"


def test_a_fall_that_chance_does_not_explain_fails_and_is_named(warehouse: psycopg.Connection) -> None:
    add_events(warehouse, "page_view", 5000, days_ago=7)
    add_events(warehouse, "page_view", 5000)
    add_events(warehouse, "form_submit", 500, days_ago=7)
    add_events(warehouse, "form_submit", 300)

    result = event_change(warehouse)

    assert (result.status, result.observed, result.threshold) == ("fail", 0.4, 0.1)
    assert "form_submit fell by 40.0 % (500 to 300)" in result.detail
    assert result.sample_keys == ("form_submit",)


@pytest.mark.parametrize(("current", "status"), [(10_999, "pass"), (11_000, "fail"), (9_001, "pass"), (9_000, "fail")])
def test_the_limit_itself_fails(warehouse: psycopg.Connection, current: int, status: str) -> None:
    add_events(warehouse, "page_view", 10_000, days_ago=7)
    add_events(warehouse, "page_view", current)

    assert event_change(warehouse).status == status


def test_a_change_of_a_small_stream_that_chance_explains_passes(warehouse: psycopg.Connection) -> None:
    add_events(warehouse, "demo_request", 200, days_ago=7)
    add_events(warehouse, "demo_request", 160)

    assert event_change(warehouse).status == "pass"


@pytest.mark.parametrize(
    ("days_ago", "words"), [(0, "webinar_signup is new (50)"), (7, "webinar_signup vanished (50 before)")]
)
def test_a_name_that_is_new_or_vanished_is_a_change(warehouse: psycopg.Connection, days_ago: int, words: str) -> None:
    for week in (0, 7):
        add_events(warehouse, "page_view", 500, days_ago=week)
    add_events(warehouse, "webinar_signup", 50, days_ago=days_ago)

    result = event_change(warehouse)

    assert (result.status, result.observed) == ("fail", 1.0)
    assert words in result.detail


def test_without_an_earlier_week_it_is_not_judged(warehouse: psycopg.Connection) -> None:
    add_events(warehouse, "page_view", 500)

    result = event_change(warehouse)

    assert (result.status, result.observed) == ("warn", None)
    assert "no baseline" in result.detail


def test_only_weekdays_that_the_earlier_week_holds_are_compared(warehouse: psycopg.Connection) -> None:
    for days_ago in range(8):
        add_events(warehouse, "page_view", 500, days_ago=days_ago)

    result = event_change(warehouse)

    assert (result.status, result.observed) == ("pass", 0.0)
    assert "1 of 7 days were loaded in both weeks" in result.detail


@pytest.mark.parametrize("days_ago", [(1, 7, 8), (0, 1, 8)])
def test_a_day_that_is_missing_in_one_week_is_left_out_of_both(
    warehouse: psycopg.Connection, days_ago: tuple[int, ...]
) -> None:
    for days in days_ago:
        add_events(warehouse, "page_view", 500, days_ago=days)

    result = event_change(warehouse)

    assert (result.status, result.observed) == ("pass", 0.0)
    assert "1 of 7 days were loaded in both weeks" in result.detail


def test_an_announced_change_passes_and_is_reported(
    warehouse: psycopg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = yaml.safe_load((CHECKS / "staging.events.yaml").read_text())
    announced = {
        "event_name": "webinar_signup",
        "from": DAY - datetime.timedelta(days=2),
        "until": DAY,
        "why": "launch webinar",
    }
    next(entry for entry in file["checks"] if entry["name"] == "event_change")["explained"] = [announced]
    (tmp_path / "staging.events.yaml").write_text(yaml.safe_dump(file))
    for week in (0, 7):
        add_events(warehouse, "page_view", 500, days_ago=week)
    add_events(warehouse, "webinar_signup", 500)
    warehouse.commit()

    monkeypatch.setattr(gate, "read_checks", lambda table: read_checks(table, tmp_path))
    verdict = gate.run_gate(warehouse, tables=["staging.events"], day=DAY, policy=load_policy(), **RUN)

    result = next(item for item in verdict.results if item.check_name == "event_change")
    assert result.status == "pass"
    assert "explained: webinar_signup (launch webinar)" in result.detail


@pytest.mark.parametrize(("events", "false_alarms"), [(200, 0.32), (400, 0.16), (1000, 0.025), (2000, 0.0016)])
def test_a_plain_ten_per_cent_rule_would_cry_wolf(events: int, false_alarms: float) -> None:
    change = 0.1 * events / math.sqrt(2 * events)  # in standard deviations of the difference of two Poisson counts

    assert math.erfc(change / math.sqrt(2)) == pytest.approx(false_alarms, rel=0.05)


@pytest.mark.slow
def test_streams_without_a_change_rarely_raise_an_alarm(warehouse: psycopg.Connection) -> None:
    streams, events = 600, 200
    previous, current = numpy.random.default_rng(SEED).poisson(events, (2, streams))
    for days_ago, counts in ((7, previous), (0, current)):
        warehouse.execute(
            """
            INSERT INTO staging.events (event_day, row_number, event_at, event_name)
            SELECT %(day)s, row_number() OVER (), %(day)s, 'event_' || stream
            FROM unnest(%(counts)s::int[]) WITH ORDINALITY AS counted (events, stream), generate_series(1, events)
            """,
            {"day": DAY - datetime.timedelta(days=days_ago), "counts": counts.tolist()},
        )

    result = event_change(warehouse)

    plain_rule = (abs(current - previous) >= 0.1 * previous).mean()
    assert plain_rule == pytest.approx(0.32, abs=0.06), f"seed {SEED}"
    assert len(result.sample_keys) <= 0.01 * streams, f"seed {SEED}: {result.detail}"
