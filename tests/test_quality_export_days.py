"""A day that the GA4 export does not hold stops its night, by name; an earlier one that it lost warns."""

from datetime import date, timedelta

import psycopg
import pytest

from nurture.warehouse.ga4_events import INTRADAY_NOTE, MISSING_NOTE, Run, log_load, record_missing_days
from quality_night import DAY, RUN, add_events, add_raw_events, check

pytestmark = pytest.mark.slow  # Great Expectations takes seconds

THIS_RUN = Run(RUN["dag_id"], RUN["run_id"])


def loaded(connection: psycopg.Connection, day: date = DAY, *, rows: int = 100, note: str | None = None) -> None:
    """What a load of one daily table leaves in the log."""
    log_load(connection, THIS_RUN, table=f"events_{day:%Y%m%d}", day=day, rows=rows, dead=0, note=note)


def test_a_day_that_was_loaded_passes(warehouse: psycopg.Connection) -> None:
    loaded(warehouse)

    assert check(warehouse, "raw_ga4.events", "ga4_day_present").status == "pass"


def test_a_day_with_an_intraday_table_only_passes(warehouse: psycopg.Connection) -> None:
    log_load(warehouse, THIS_RUN, table="events_intraday_20261121", day=DAY, rows=7, dead=0, note=INTRADAY_NOTE)

    assert check(warehouse, "raw_ga4.events", "ga4_day_present").status == "pass"


@pytest.mark.parametrize("events", [100, 500])
def test_a_day_without_a_table_stops_the_night_whatever_its_size_and_says_what_to_do(
    warehouse: psycopg.Connection, events: int
) -> None:
    for days_ago in range(1, 14):
        add_events(warehouse, "page_view", events, days_ago=days_ago)
    record_missing_days(warehouse, THIS_RUN, [DAY])

    result = check(warehouse, "raw_ga4.events", "ga4_day_present")
    change = check(warehouse, "staging.events", "event_change")

    assert (result.status, result.observed, result.sample_keys) == ("fail", 1.0, ("20261121",))
    for word in ("2026-11-21", MISSING_NOTE, "later", "streaming export"):
        assert word in result.detail
    assert change.status == "pass", "the missing day is no fall of page_view"


def test_an_empty_table_stops_the_night(warehouse: psycopg.Connection) -> None:
    loaded(warehouse, rows=0)

    result = check(warehouse, "raw_ga4.events", "ga4_day_present")

    assert (result.status, "the table was empty" in result.detail) == ("fail", True)


def test_rows_of_an_earlier_run_are_counted_but_do_not_make_the_day_present(warehouse: psycopg.Connection) -> None:
    add_raw_events(warehouse, 50)
    log_load(warehouse, Run(RUN["dag_id"], "an earlier run"), table="events_20261121", day=DAY, rows=50, dead=0, note=None)
    record_missing_days(warehouse, THIS_RUN, [DAY])

    result = check(warehouse, "raw_ga4.events", "ga4_day_present")

    assert (result.status, "50 rows of earlier loads" in result.detail) == ("fail", True)


def test_the_latest_attempt_of_a_run_counts(warehouse: psycopg.Connection) -> None:
    log_load(warehouse, THIS_RUN, table="events_intraday_20261121", day=DAY, rows=7, dead=0, note=INTRADAY_NOTE)
    warehouse.commit()
    record_missing_days(warehouse, THIS_RUN, [DAY])

    assert check(warehouse, "raw_ga4.events", "ga4_day_present").status == "fail"


def test_earlier_days_without_data_warn_and_are_named(warehouse: psycopg.Connection) -> None:
    for days_ago in (0, 1, 3):
        loaded(warehouse, DAY - timedelta(days=days_ago))
    record_missing_days(warehouse, THIS_RUN, [DAY - timedelta(days=2)])

    result = check(warehouse, "raw_ga4.events", "ga4_earlier_days_present")

    assert check(warehouse, "raw_ga4.events", "ga4_day_present").status == "pass"
    assert (result.status, result.observed, result.sample_keys) == ("warn", 1.0, ("20261119",))
