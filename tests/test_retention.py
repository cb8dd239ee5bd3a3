"""Rows go when they are older than the data map allows, not a day earlier, and never what other steps still need."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from dags_under_test import dag_bag
from nurture.errors import ConfigError
from nurture.paths import PROJECT
from nurture.privacy.data_map import load_data_map
from nurture.privacy.retention import apply_retention, batch
from nurture.privacy.schema import differences, read_schema
from warehouse_rows import add_ledger_row

NOW = datetime.now(UTC)


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def add_letter(warehouse: psycopg.Connection, key: str, *, seen: float, resolved: float | None = None) -> None:
    warehouse.execute(
        "INSERT INTO ops.dead_letter (source, key, reason, payload, last_seen_at, resolved_at)"
        " VALUES ('s', %s, 'x', '{}', %s, %s)",
        (key, ago(seen), resolved and ago(resolved)),
    )


def add_contact(warehouse: psycopg.Connection, crm_id: str, *, modified: float, is_archived: bool) -> None:
    warehouse.execute(
        "INSERT INTO raw_hubspot.contacts (crm_id, modified_at, is_archived, properties) VALUES (%s, %s, %s, '{}')",
        (crm_id, ago(modified), is_archived),
    )


def add_event(warehouse: psycopg.Connection, days: int) -> None:
    day = (NOW - timedelta(days=days)).date()
    warehouse.execute(
        "INSERT INTO raw_ga4.events (event_day, row_number, event_at, event_name, event_params, user_properties, items,"
        " rest) VALUES (%(day)s, 1, %(day)s, 'page_view', '[]', '[]', '[]', '{}')",
        {"day": day},
    )
    warehouse.execute(
        "INSERT INTO staging.events (event_day, row_number, event_at, event_name) VALUES (%(day)s, 1, %(day)s, 'page_view')",
        {"day": day},
    )


def keys(warehouse: psycopg.Connection, query: str) -> list[Any]:
    rows = [row[0] for row in warehouse.execute(query.encode())]
    warehouse.commit()
    return rows


def test_rows_go_once_they_are_too_old_and_not_earlier(warehouse: psycopg.Connection) -> None:
    add_event(warehouse, 399)
    add_event(warehouse, 402)
    add_contact(warehouse, "bin", modified=91, is_archived=True)
    add_contact(warehouse, "bin-lately", modified=89, is_archived=True)
    add_contact(warehouse, "living", modified=4000, is_archived=False)
    warehouse.commit()

    rows = apply_retention(warehouse, load_data_map())

    assert rows == {"raw_hubspot.contacts": 1, "raw_ga4.events": 1, "staging.events": 1}
    assert keys(warehouse, "SELECT crm_id FROM raw_hubspot.contacts ORDER BY 1") == ["bin-lately", "living"]
    assert keys(warehouse, "SELECT count(*) FROM staging.events") == [1]


def test_a_dead_letter_loses_its_payload_first_and_goes_much_later(warehouse: psycopg.Connection) -> None:
    add_letter(warehouse, "open", seen=29)
    add_letter(warehouse, "never-mended", seen=91)
    add_letter(warehouse, "mended", seen=40, resolved=31)
    add_letter(warehouse, "mended-lately", seen=40, resolved=29)
    add_letter(warehouse, "long-ago", seen=500, resolved=401)
    warehouse.commit()

    rows = apply_retention(warehouse, load_data_map())

    assert rows == {"ops.dead_letter (payload emptied)": 3, "ops.dead_letter": 1}
    assert keys(warehouse, "SELECT key FROM ops.dead_letter WHERE payload IS NOT NULL ORDER BY 1") == [
        "mended-lately",
        "open",
    ]
    assert keys(warehouse, "SELECT key FROM ops.dead_letter WHERE payload IS NULL ORDER BY 1") == ["mended", "never-mended"]


def test_a_dry_run_counts_the_same_and_touches_nothing(warehouse: psycopg.Connection) -> None:
    for days in (100, 401, 402, 403):
        add_event(warehouse, days)
    add_letter(warehouse, "mended", seen=40, resolved=31)
    warehouse.commit()

    would = apply_retention(warehouse, load_data_map(), is_dry_run=True)
    left = keys(warehouse, "SELECT count(*) FROM staging.events")
    did = apply_retention(warehouse, load_data_map())

    assert left == [4]
    assert would == did == {"raw_ga4.events": 3, "staging.events": 3, "ops.dead_letter (payload emptied)": 1}
    assert apply_retention(warehouse, load_data_map()) == {}


def test_batches_are_committed_one_by_one_so_that_a_stopped_run_goes_on(
    warehouse: psycopg.Connection, warehouse_url: str
) -> None:
    for days in range(401, 408):
        add_event(warehouse, days)
    warehouse.commit()
    with psycopg.connect(warehouse_url) as other:
        other.execute("SELECT FROM staging.events ORDER BY event_day LIMIT 1 FOR UPDATE")
        warehouse.execute("SET lock_timeout = '50ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            apply_retention(warehouse, load_data_map(), batch_rows=2)
    warehouse.rollback()
    raw = keys(warehouse, "SELECT count(*) FROM raw_ga4.events")

    rows = apply_retention(warehouse, load_data_map(), batch_rows=2)

    assert raw == [0]
    assert sum(rows.values()) <= 7
    assert keys(warehouse, "SELECT count(*) FROM staging.events") == [0]


@pytest.mark.parametrize("table", ["raw_ga4.events", "staging.events"])
def test_old_events_are_found_by_an_index_and_not_by_a_scan(warehouse: psycopg.Connection, table: str) -> None:
    [rule] = load_data_map().tables[table].retention
    warehouse.execute("SET enable_seqscan = off")

    query = sql.SQL("EXPLAIN {}").format(batch(table, rule))
    plan = "\n".join(row[0] for row in warehouse.execute(query, {"days": rule.days, "rows": 10}))

    assert "Index Cond: (event_day <" in plan, plan


def test_what_exactly_once_sticky_arms_and_loads_rest_on_stays(warehouse: psycopg.Connection) -> None:
    add_ledger_row(warehouse, "1", "p_1", "week-2020-W01")
    warehouse.execute("UPDATE ops.push_ledger SET changed_at = %s, day = '2020-01-05'", (ago(399),))
    warehouse.execute("INSERT INTO ops.assignment VALUES ('lead_nurture', 'p_1', 'ai', '2020-01-05')")
    warehouse.execute("INSERT INTO ops.load_log (dag_id, run_id, source, day, loaded_rows, loaded_at)"
                      " VALUES ('d', 'r', 'ga4.events_20200105', '2020-01-05', 9, '2020-01-06')")  # fmt: skip
    warehouse.execute("INSERT INTO ops.consent_event (person_id, status, happened_at, source, recorded_at)"
                      " VALUES ('p_1', 'denied', '2020-01-05', 'unsubscribe page', '2020-01-05')")  # fmt: skip
    warehouse.commit()

    assert apply_retention(warehouse, load_data_map()) == {}


def test_every_column_of_the_warehouse_is_classified(warehouse: psycopg.Connection) -> None:
    assert differences(load_data_map(), read_schema(warehouse)) == []


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("{holds: x, impersonal: [a]}", "how long rows are kept"),
        ("{holds: x, columns: {a: person_id}, kept: y}", "needs `erase`"),
        ("{holds: x, erase: keep, columns: {a: keep}, kept: y}", "`because` says why"),
        ("{holds: x, erase: delete, columns: {a: person_id}, impersonal: [a], kept: y}", "a: named twice"),
        ("{holds: x, erase: pseudonymise, columns: {a: person_id}, goes_with_row: [b], kept: y}", "say under `columns`"),
        (
            "{holds: x, impersonal: [a], retention: [{by: a, days: 10, at_least: 60}]}",
            "fewer than the 60 that other steps need",
        ),
        ("{holds: x, erase: delete, columns: {a: no_such_rule}, kept: y}", "no_such_rule"),
    ],
)
def test_an_entry_that_leaves_something_open_is_refused(tmp_path: Path, entry: str, words: str) -> None:
    path = tmp_path / "personal_data.yaml"
    path.write_text(f"tables:\n  ops.x: {entry}\n")

    with pytest.raises(ConfigError, match=re.escape(words)):
        load_data_map(path)


def test_the_page_on_privacy_shows_the_table_as_the_file_has_it() -> None:
    from nurture.privacy.data_map_page import BEGIN, END, table_of

    page = (PROJECT / "docs" / "privacy.md").read_text(encoding="utf-8")
    shown = page.split(BEGIN)[1].split(END)[0].strip()

    assert shown == table_of(load_data_map()), "run `PYTHONPATH=plugins .venv/bin/python -m nurture.privacy.data_map_page`"


def test_the_dag_runs_daily_and_counts_only_when_asked_to(
    warehouse: psycopg.Connection, warehouse_url: str, monkeypatch: Any
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", warehouse_url)
    add_event(warehouse, 402)
    warehouse.commit()
    dag = dag_bag().dags["apply_retention"]
    task = dag.get_task("apply_retention")

    would = task.execute({"params": {"dry_run": True}})
    did = task.execute({"params": {name: param.value for name, param in dag.params.items()}})

    assert would == did == {"raw_ga4.events": 1, "staging.events": 1}
    assert keys(warehouse, "SELECT count(*) FROM raw_ga4.events") == [0]
    assert dag.timetable.expression == "30 5 * * *"
