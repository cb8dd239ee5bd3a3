"""Q5: the export's columns, their types, and what may be empty, for the days that the night read again."""

import psycopg
import pytest

from nurture.quality.verdict import GateBroken
from quality_night import RUN, add_raw_events, check, judge

pytestmark = pytest.mark.slow  # Great Expectations takes seconds


def test_the_tables_as_migrated_keep_the_schema_lock(warehouse: psycopg.Connection) -> None:
    verdict = judge(warehouse, "raw_ga4.events", "raw_hubspot.contacts")

    assert {result.status for result in verdict.results if result.check_name.endswith("schema_lock")} == {"pass"}


def test_a_new_column_does_not_stop_the_night(warehouse: psycopg.Connection) -> None:
    warehouse.execute("ALTER TABLE raw_ga4.events ADD COLUMN event_original_occurrence_timestamp bigint")

    assert check(warehouse, "raw_ga4.events", "ga4_schema_lock").status == "pass"


def test_a_column_of_another_type_stops_the_night_and_is_named(warehouse: psycopg.Connection) -> None:
    warehouse.execute("ALTER TABLE raw_ga4.events ALTER COLUMN stream_id TYPE bigint USING NULL")

    result = check(warehouse, "raw_ga4.events", "ga4_schema_lock")

    assert (result.status, result.observed, result.sample_keys) == ("fail", 1.0, ("stream_id",))
    assert "stream_id is bigint, expected text" in result.detail


def test_a_lost_column_of_the_crm_stops_the_night_and_is_named(warehouse: psycopg.Connection) -> None:
    warehouse.execute("ALTER TABLE raw_hubspot.contacts DROP COLUMN email_opt_out")

    result = check(warehouse, "raw_hubspot.contacts", "hubspot_schema_lock")

    assert (result.status, result.sample_keys) == ("fail", ("email_opt_out",))
    assert "email_opt_out is missing" in result.detail


def test_a_lost_column_fails_the_lock_and_breaks_what_reads_it(warehouse: psycopg.Connection) -> None:
    warehouse.execute("ALTER TABLE raw_ga4.events DROP COLUMN event_name CASCADE")  # with the views of ops

    with pytest.raises(GateBroken, match="ga4_event_name_present"):
        judge(warehouse, "raw_ga4.events")

    kept = dict(warehouse.execute("SELECT check_name, status FROM ops.gate_result").fetchall())
    assert kept["ga4_schema_lock"] == "fail"
    assert kept["ga4_event_name_present"] == "error"


@pytest.mark.parametrize("column", ["event_name", "event_at"])
def test_a_required_column_without_a_value_fails(warehouse: psycopg.Connection, column: str) -> None:
    add_raw_events(warehouse, 1000)
    warehouse.execute(f"ALTER TABLE raw_ga4.events ALTER {column} DROP NOT NULL".encode())
    warehouse.execute(f"UPDATE raw_ga4.events SET {column} = NULL WHERE row_number = 7".encode())

    result = check(warehouse, "raw_ga4.events", f"ga4_{column}_present")

    assert (result.status, result.observed, result.sample_keys) == ("fail", 0.001, ("20261121:7",))


@pytest.mark.parametrize(
    ("column", "share", "limit"), [("geo", "ga4_geo_present", 0.2), ("user_pseudo_id", "ga4_visitor_id_present", 0.3)]
)
def test_an_optional_column_that_is_often_empty_warns(
    warehouse: psycopg.Connection, column: str, share: str, limit: float
) -> None:
    add_raw_events(warehouse, 100)
    empty = f"UPDATE raw_ga4.events SET {column} = NULL WHERE row_number <= %s".encode()
    warehouse.execute(empty, (100 * limit - 1,))
    below = check(warehouse, "raw_ga4.events", share)
    warehouse.execute(empty, (100 * limit,))

    at_the_limit = check(warehouse, "raw_ga4.events", share)

    assert (below.status, at_the_limit.status) == ("pass", "warn")


def test_only_the_days_that_were_read_again_count(warehouse: psycopg.Connection) -> None:
    add_raw_events(warehouse, 100)
    warehouse.execute("UPDATE raw_ga4.events SET geo = NULL, event_day = event_day - 4")

    assert check(warehouse, "raw_ga4.events", "ga4_geo_present").observed == 0


@pytest.mark.parametrize(("future", "status"), [(0, "pass"), (1, "fail")])
def test_events_from_the_future_fail(warehouse: psycopg.Connection, future: int, status: str) -> None:
    add_raw_events(warehouse, 999, event_at="35 hours")
    add_raw_events(warehouse, 1, event_at="36 hours" if future else "35 hours")

    result = check(warehouse, "raw_ga4.events", "ga4_future_events")

    assert (result.status, len(result.sample_keys)) == (status, future)


@pytest.mark.parametrize(("dead", "status"), [(19, "pass"), (20, "fail")])
def test_undeliverable_rows_are_judged_by_their_share_in_this_run(
    warehouse: psycopg.Connection, dead: int, status: str
) -> None:
    loads = [
        (RUN["run_id"], "ga4.events_20261121", 2000 - dead, dead),
        (RUN["run_id"], "hubspot.contacts", 0, 500),
        ("another run", "ga4.events_20261121", 0, 500),
    ]
    for run_id, source, loaded, dead_rows in loads:
        warehouse.execute(
            "INSERT INTO ops.load_log (dag_id, run_id, source, loaded_rows, dead_rows) VALUES (%s, %s, %s, %s, %s)",
            (RUN["dag_id"], run_id, source, loaded, dead_rows),
        )

    assert check(warehouse, "raw_ga4.events", "ga4_undeliverable_rows").status == status
