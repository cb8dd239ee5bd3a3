"""Q1: fewer than 5 % of the events of people whom the site knows may lack a user_id, over seven days."""

import gzip
import json
from pathlib import Path

import psycopg
import pytest

from nurture.quality.verdict import CheckResult
from quality_night import DAY, add_events, check

pytestmark = pytest.mark.slow  # Great Expectations takes seconds


def missing_user_ids(connection: psycopg.Connection) -> CheckResult:
    return check(connection, "staging.events", "missing_user_ids")


def test_events_of_known_people_with_user_ids_pass(warehouse: psycopg.Connection) -> None:
    add_events(warehouse, "form_submit", 10, user_id="u1", visitor="v1")

    result = missing_user_ids(warehouse)

    assert (result.status, result.observed, result.threshold) == ("pass", 0.0, 0.05)


@pytest.mark.parametrize(("missing", "status"), [(4, "pass"), (5, "fail"), (6, "fail")])
def test_the_limit_itself_fails(warehouse: psycopg.Connection, missing: int, status: str) -> None:
    add_events(warehouse, "form_submit", 100 - missing, user_id="u1", visitor="v1")
    add_events(warehouse, "form_submit", missing, visitor="v2")

    result = missing_user_ids(warehouse)

    assert (result.status, result.observed) == (status, missing / 100)


def test_anonymous_visitors_do_not_count(warehouse: psycopg.Connection) -> None:
    add_events(warehouse, "page_view", 10, user_id="u1", visitor="v1")
    add_events(warehouse, "page_view", 1000, visitor="anonymous")
    add_events(warehouse, "page_view", 1000, visitor=None)

    assert missing_user_ids(warehouse).observed == 0


def test_every_event_of_a_visitor_who_carries_a_user_id_counts(warehouse: psycopg.Connection) -> None:
    add_events(warehouse, "page_view", 9, user_id="u1", visitor="v1", days_ago=3)
    add_events(warehouse, "page_view", 1, visitor="v1")

    result = missing_user_ids(warehouse)

    assert result.observed == 0.1
    assert result.sample_keys == ("20261121:1",)


def test_a_blank_user_id_is_missing(warehouse: psycopg.Connection) -> None:
    add_events(warehouse, "login", 1, user_id="u1", visitor="v1")
    add_events(warehouse, "login", 1, user_id="  ", visitor="v2")

    assert missing_user_ids(warehouse).observed == 0.5


def test_only_the_seven_days_to_the_night_count(warehouse: psycopg.Connection) -> None:
    add_events(warehouse, "login", 10, user_id="u1", visitor="v1", days_ago=6)
    add_events(warehouse, "login", 10, visitor="v2", days_ago=7)
    add_events(warehouse, "login", 10, visitor="v2", days_ago=-1)

    assert missing_user_ids(warehouse).observed == 0


def test_a_window_without_any_user_id_says_that_the_join_is_broken(warehouse: psycopg.Connection) -> None:
    add_events(warehouse, "page_view", 50, visitor="v1")

    result = missing_user_ids(warehouse)

    assert (result.status, result.observed) == ("fail", 1.0)
    assert "no event carries a user_id" in result.detail
    assert "the join to the CRM is broken" in result.detail


def test_a_window_without_events_fails_and_says_so(warehouse: psycopg.Connection) -> None:
    result = missing_user_ids(warehouse)

    assert (result.status, result.observed) == ("fail", 1.0)
    assert "no event at all" in result.detail


def test_real_export_rows_without_user_ids_fail(warehouse: psycopg.Connection, shared_data: Path) -> None:
    path = shared_data / "ga4" / "ga4_merch_store_events_sample.ndjson.gz"
    with (
        gzip.open(path, "rt") as lines,
        warehouse.cursor().copy(
            "COPY staging.events (event_day, row_number, event_at, event_name, user_id, user_pseudo_id) FROM STDIN"
        ) as copy,
    ):
        for number, line in enumerate(lines):
            row = json.loads(line)
            copy.write_row((DAY, number, f"{DAY}T12:00Z", row["event_name"], row["user_id"], row["user_pseudo_id"]))

    result = missing_user_ids(warehouse)

    assert (result.status, result.observed) == ("fail", 1.0)
    assert "no event carries a user_id" in result.detail
