"""Rows of a GA4 export as they come: what is kept, what is refused."""

import psycopg
import pyarrow as pa
import pytest
from ga4_day import DAY, TABLE, letters, load, one

from nurture.errors import TerminalError
from tests.ga4_fixtures import Row, arrow, event, param


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
