"""GA4 days loaded again: what makes a day the same, and which days are read."""

import random
from datetime import date

import psycopg
import pytest
from ga4_day import DAY, RUN, TABLE, content, letters, load, one

from nurture.warehouse.ga4_events import Run, days_to_load, record_missing_days
from tests.ga4_fixtures import event, param


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
