"""One GA4 day from Arrow into the warehouse, without BigQuery: what is kept, what is refused, what makes a day the same."""

import random
from collections.abc import Iterator
from datetime import date
from typing import Any

import psycopg
import pyarrow as pa
import pytest

from demo.postgres import EmbeddedPostgres
from nurture.errors import TerminalError
from nurture.warehouse.ga4_events import DayLoad, Run, days_to_load, load_day, record_missing_days
from tests.ga4_fixtures import Row, event, param

DAY = date(2026, 11, 21)
TABLE = "events_20261121"
RUN = Run("customer_data", "run-1")

PARAMS = pa.list_(
    pa.struct([
        ("key", pa.string()),
        ("value", pa.struct([
            ("string_value", pa.string()), ("int_value", pa.int64()), ("float_value", pa.float64()),
            ("double_value", pa.float64()),
        ])),
    ])
)  # fmt: skip
TYPES = {
    "event_date": pa.string(), "event_timestamp": pa.int64(), "event_name": pa.string(), "event_params": PARAMS,
    "user_id": pa.string(), "user_pseudo_id": pa.string(), "user_properties": PARAMS,
    "items": pa.list_(pa.struct([("item_id", pa.string()), ("item_name", pa.string()), ("price", pa.float64())])),
}  # fmt: skip


@pytest.fixture(scope="module")
def database(postgres: EmbeddedPostgres) -> str:
    """One migrated database for the many small tests of this file."""
    postgres.create_database("ga4_shape", template="migrated")
    return postgres.url("ga4_shape")


@pytest.fixture
def warehouse(database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database) as connection:
        connection.execute("TRUNCATE raw_ga4.events, staging.events, ops.load_log, ops.dead_letter, ops.dead_letter_retry")
        connection.commit()
        yield connection


def arrow(rows: list[Row]) -> pa.Table:
    """The rows as BigQuery would deliver them: known columns in the export's types, others as they come."""
    names = dict.fromkeys(name for row in rows for name in row)
    return pa.table({name: pa.array([row.get(name) for row in rows], TYPES.get(name)) for name in names})


def load(warehouse: psycopg.Connection, rows: list[Row] | pa.Table, **changes: Any) -> DayLoad:
    table = arrow(rows) if isinstance(rows, list) else rows
    given = {"day": DAY, "table": TABLE, "max_param_bytes": 1_000, "run": RUN} | changes
    return load_day(warehouse, rows=table.to_reader(max_chunksize=2), **given)


def one(warehouse: psycopg.Connection, query: str) -> Any:
    row = warehouse.execute(query.encode()).fetchone()
    assert row is not None
    return row[0] if len(row) == 1 else row


def content(warehouse: psycopg.Connection) -> Any:
    """A hash of both tables, row by row."""
    return one(
        warehouse,
        """
        SELECT (SELECT md5(string_agg(e::text, '' ORDER BY event_day, row_number)) FROM raw_ga4.events e),
               (SELECT md5(string_agg(e::text, '' ORDER BY event_day, row_number)) FROM staging.events e)
        """,
    )


def letters(warehouse: psycopg.Connection) -> list[tuple[Any, ...]]:
    return warehouse.execute(
        "SELECT key, field, reason FROM ops.dead_letter WHERE resolved_at IS NULL ORDER BY key"
    ).fetchall()


def test_nested_columns_arrive_as_json_and_missing_ones_as_their_defaults(warehouse: psycopg.Connection) -> None:
    rows = [
        event(DAY, geo={"country": "France"}, event_params=[param("n", 2**53 + 1), param("x", 0.1), param("é", 'a"\\b\n')])
    ]
    for absent in ("user_properties", "items", "stream_id"):
        del rows[0][absent]

    load(warehouse, rows)

    stored = one(
        warehouse, "SELECT event_params, user_properties, items, stream_id, geo, ecommerce, rest FROM raw_ga4.events"
    )
    assert stored == (rows[0]["event_params"], [], [], None, {"country": "France"}, None, {"event_date": "20261121"})


def test_empty_text_and_no_text_stay_different(warehouse: psycopg.Connection) -> None:
    load(warehouse, [event(DAY, user_id="", user_pseudo_id=None)])

    assert one(warehouse, "SELECT user_id, user_pseudo_id FROM raw_ga4.events") == ("", None)


def test_the_time_is_stored_in_utc_whatever_the_session_speaks(warehouse: psycopg.Connection) -> None:
    warehouse.execute("SET TimeZone = 'America/New_York'")
    rows = [event(DAY, event_timestamp=1795262400_000_001)]

    load(warehouse, rows)

    assert one(warehouse, "SELECT extract(epoch FROM event_at)::text FROM raw_ga4.events") == "1795262400.000001"


@pytest.mark.parametrize("stream_id", [1234, "1234"])
def test_a_stream_id_is_text_whether_google_sends_a_number_or_text(
    warehouse: psycopg.Connection, stream_id: int | str
) -> None:
    load(warehouse, [event(DAY, stream_id=stream_id)])

    assert one(warehouse, "SELECT stream_id FROM raw_ga4.events") == "1234"


def test_a_column_that_google_added_is_kept_in_rest_and_noted(warehouse: psycopg.Connection) -> None:
    loaded = load(warehouse, [event(DAY, shiny={"a": [1.5]}, platform="WEB")])

    assert loaded.new_columns == ["shiny"]
    assert one(warehouse, "SELECT rest FROM raw_ga4.events") == {
        "event_date": "20261121",
        "shiny": {"a": [1.5]},
        "platform": "WEB",
    }
    assert one(warehouse, "SELECT note FROM ops.load_log") == "columns new to the export, kept in `rest`: shiny"


@pytest.mark.parametrize(
    "column", ["event_date", "event_timestamp", "event_name", "event_params", "user_pseudo_id", "user_id"]
)
def test_a_table_without_a_required_column_is_refused_and_the_day_is_left_as_it_was(
    warehouse: psycopg.Connection, column: str
) -> None:
    load(warehouse, [event(DAY)])
    rows = arrow([event(DAY), event(DAY, second=1)]).drop_columns([column])

    with pytest.raises(TerminalError, match=rf"{TABLE}: column `{column}` is missing; expected .* `ga4`"):
        load(warehouse, rows)

    assert one(warehouse, "SELECT count(*) FROM raw_ga4.events") == 1


def test_event_params_of_another_type_are_refused(warehouse: psycopg.Connection) -> None:
    rows = arrow([event(DAY)]).drop_columns(["event_params"]).append_column("event_params", pa.array(["a"]))

    with pytest.raises(TerminalError, match="column `event_params` is of type string; expected a list"):
        load(warehouse, rows)


UNFIT: dict[str, tuple[Row, str, str]] = {
    "no time": ({"event_timestamp": None}, "event_timestamp", "found nothing"),
    "a time of 1970": ({"event_timestamp": 1_000_000}, "event_timestamp", "within 3 days of 2026-11-21"),
    "a time in milliseconds": ({"event_timestamp": 1795262400_000}, "event_timestamp", "within 3 days"),
    "a time beyond all calendars": ({"event_timestamp": 2**63 - 1}, "event_timestamp", "within 3 days"),
    "no name": ({"event_name": None}, "event_name", "found nothing"),
    "a blank name": ({"event_name": "  "}, "event_name", "found nothing"),
    "an id that no index holds": ({"user_id": "x" * 5_000}, "user_id", "5000 bytes; expected at most 1024"),
    "a huge parameter": ({"event_params": [param("a", "é" * 501)]}, "event_params", "1002 bytes; expected at most 1000"),
    "a huge property": ({"user_properties": [param("a", "x" * 2_000)]}, "user_properties", "2000 bytes"),
    "a NUL in an id": ({"user_pseudo_id": "a\0b"}, "user_pseudo_id", "NUL"),
    "a NUL in a parameter": ({"event_params": [param("a", "\\\0")]}, "event_params", "NUL"),
    "a NUL in another column": ({"platform": "WEB\0"}, "rest", "NUL"),
    "a number that is none": ({"event_params": [param("a", float("nan"))]}, "event_params", "not finite"),
    "an infinite price": ({"items": [{"item_id": "1", "price": float("-inf")}]}, "items", "not finite"),
}


@pytest.mark.parametrize("case", UNFIT)
def test_a_row_that_cannot_be_stored_is_set_aside_and_the_others_are_loaded(
    warehouse: psycopg.Connection, case: str
) -> None:
    columns, field, reason = UNFIT[case]
    rows = [event(DAY, "first", second=1), event(DAY, **{"second": 2, **columns}), event(DAY, "last", second=3)]

    loaded = load(warehouse, rows)

    assert (loaded.rows, loaded.dead) == (2, 1)
    assert one(warehouse, "SELECT array_agg(event_name ORDER BY row_number) FROM raw_ga4.events") == ["first", "last"]
    [(key, found_field, found_reason)] = letters(warehouse)
    assert key.startswith(f"{TABLE}:")
    assert found_field == field
    assert reason in found_reason
    assert one(warehouse, "SELECT payload IS NOT NULL AND run_id = 'run-1' FROM ops.dead_letter")
    assert one(warehouse, "SELECT loaded_rows, dead_rows FROM ops.load_log") == (2, 1)


@pytest.mark.parametrize(
    "text", [r"\u0000", r"\\u0000", '":NaN,', 'a":NaN}', "Infinity", "x" * 1_000, "{{ 7*7 }}</script>", "\\.", "a,b\r\n\t"]
)
def test_text_that_only_looks_dangerous_is_stored_as_it_is(warehouse: psycopg.Connection, text: str) -> None:
    rows = [event(DAY, text, user_id=text, event_params=[param("a", text), param(text, 1)])]

    loaded = load(warehouse, rows)

    assert (loaded.rows, loaded.dead) == (1, 0)
    stored = one(warehouse, "SELECT event_name, user_id, event_params FROM raw_ga4.events")
    assert stored == (text, text, rows[0]["event_params"])


def test_an_unfit_row_is_told_even_when_it_is_as_long_as_a_book(warehouse: psycopg.Connection) -> None:
    loaded = load(warehouse, [event(DAY, event_params=[param("a", "\\u0000\0 é" * 300_000)])])

    assert loaded.dead == 1
    assert one(warehouse, "SELECT length(payload::text) < 50000 FROM ops.dead_letter")


def test_the_same_rows_in_any_order_give_the_same_tables(warehouse: psycopg.Connection) -> None:
    rows = [event(DAY, second=number // 5, event_params=[param("n", number)]) for number in range(40)]
    load(warehouse, rows)
    before = content(warehouse)
    random.Random(7).shuffle(rows)

    load(warehouse, rows, run=Run("customer_data", "run-2"))

    assert content(warehouse) == before
    assert one(warehouse, "SELECT array_agg((event_params #>> '{0,value,int_value}')::int / 5 ORDER BY row_number) "
                          "FROM raw_ga4.events") == [number // 5 for number in range(40)]  # fmt: skip


def test_a_second_load_replaces_the_day_and_no_other(warehouse: psycopg.Connection) -> None:
    other = date(2026, 11, 20)
    load(warehouse, [event(other)], day=other, table="events_20261120")
    load(warehouse, [event(DAY, "kept"), event(DAY, "withdrawn", second=1)])

    load(warehouse, [event(DAY, "kept"), event(DAY, "late", second=2)])

    found = warehouse.execute(
        "SELECT event_day, array_agg(event_name ORDER BY row_number) FROM staging.events GROUP BY 1 ORDER BY 1"
    ).fetchall()
    assert found == [(other, ["page_view"]), (DAY, ["kept", "late"])]


def test_a_dead_letter_is_settled_by_a_load_that_does_not_meet_it_again(warehouse: psycopg.Connection) -> None:
    load(warehouse, [event(DAY, ""), event(DAY, "\0", second=1)], table="events_intraday_20261121")
    assert len(letters(warehouse)) == 2

    load(warehouse, [event(DAY, "mended"), event(DAY, "\0", second=1)])

    assert [key for key, *_ in letters(warehouse)] == [f"{TABLE}:2"]
    load(warehouse, [event(DAY, "mended"), event(DAY, "\0", second=1)])
    assert one(warehouse, f"SELECT attempts FROM ops.dead_letter WHERE key = '{TABLE}:2'") == 2


def test_a_load_that_breaks_off_leaves_the_day_whole(warehouse_url: str) -> None:
    with psycopg.connect(warehouse_url) as connection:
        load(connection, [event(DAY)])
        before = content(connection)
        connection.execute("ALTER TABLE staging.events ADD CHECK (event_name <> 'trouble')")
        connection.commit()

        with pytest.raises(psycopg.errors.CheckViolation):
            load(connection, [event(DAY, "new"), event(DAY, "trouble")])

        assert content(connection) == before


def test_a_first_load_takes_every_exported_day_up_to_the_night(warehouse: psycopg.Connection) -> None:
    exported = [date(2026, 11, day) for day in range(1, 25)]

    days, is_first = days_to_load(warehouse, day=DAY, available=exported, reread_days=4)

    assert is_first
    assert days == [date(2026, 11, day) for day in range(1, 22)]


def test_later_loads_read_the_last_days_and_what_was_never_loaded(warehouse: psycopg.Connection) -> None:
    exported = [date(2026, 11, day) for day in range(1, 25)]
    for day in exported[:14] + exported[15:20]:  # not the 15th: a first load broke off, or its table came late
        load(warehouse, [event(day)], day=day, table=f"events_{day:%Y%m%d}")
    record_missing_days(warehouse, RUN, [exported[14]])

    days, is_first = days_to_load(warehouse, day=DAY, available=exported, reread_days=4)

    assert not is_first
    assert days == [date(2026, 11, day) for day in (15, 18, 19, 20, 21)]


def staged(warehouse: psycopg.Connection, columns: str, **row: Any) -> Any:
    load(warehouse, [event(DAY, **row)])
    return one(warehouse, f"SELECT {columns} FROM staging.events")


@pytest.mark.parametrize(("value", "expected"), [("1", True), (1, True), ("0", False), (0, False), ("", None), (None, None)])
def test_session_engaged_is_read_from_text_and_from_numbers(
    warehouse: psycopg.Connection, value: str | int | None, expected: bool | None
) -> None:
    assert staged(warehouse, "is_session_engaged", event_params=[param("session_engaged", value)]) is expected


def test_parameters_become_columns(warehouse: psycopg.Connection) -> None:
    given = [
        param("ga_session_id", 77), param("page_location", "https://a.example/x"), param("page_title", "A"),
        param("form_id", 5),
        param("source", "mail"), param("medium", "email"), param("campaign", "spring"), param("transaction_id", "T1"),
        param("value", 12.5), param("currency", "EUR"), param("empty", None),
    ]  # fmt: skip
    columns = "session_id, page_location, page_title, form_id, source, medium, campaign, transaction_id, cart_value::text"

    found = staged(warehouse, columns, event_params=given)

    assert found == ("77", "https://a.example/x", "A", "5", "mail", "email", "spring", "T1", "12.5")
    assert one(warehouse, "SELECT currency FROM staging.events") == "EUR"


def test_the_source_falls_back_to_the_click_and_then_to_the_first_visit(warehouse: psycopg.Connection) -> None:
    found = staged(
        warehouse, "source, medium, campaign", event_params=[param("source", "event")],
        collected_traffic_source={"manual_source": "click", "manual_medium": "click", "manual_campaign_name": None},
        traffic_source={"source": "first", "medium": "first", "name": "first"},
    )  # fmt: skip

    assert found == ("event", "click", "first")


def test_a_transaction_id_that_is_not_set_is_none(warehouse: psycopg.Connection) -> None:
    row = {"event_params": [param("transaction_id", "(not set)")], "ecommerce": {"transaction_id": "(not set)"}}

    assert staged(warehouse, "transaction_id", **row) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [("12.50", "12.50"), (7, "7"), (1e22, "10000000000000000000000"), ("12,50", None), ("9" * 999, None)],
)
def test_a_value_is_a_number_or_nothing(warehouse: psycopg.Connection, value: Any, expected: str | None) -> None:
    assert staged(warehouse, "cart_value::text", event_params=[param("value", value)]) == expected


def test_the_first_item_and_the_country_become_columns(warehouse: psycopg.Connection) -> None:
    found = staged(
        warehouse, "product_id, product_name, product_price::text, country",
        items=[{"item_id": "LF-SCAN", "item_name": "(not set)", "price": 349.0}, {"item_id": "other"}],
        geo={"country": "Germany"},
    )  # fmt: skip

    assert found == ("LF-SCAN", None, "349.0", "Germany")
