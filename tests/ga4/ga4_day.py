"""One GA4 day, loaded from Arrow without BigQuery, and what is in the warehouse then."""

from datetime import date
from typing import Any

import psycopg
import pyarrow as pa

from nurture.warehouse.ga4_events import DayLoad, Run, load_day
from tests.ga4_fixtures import Row, arrow

DAY = date(2026, 11, 21)
TABLE = "events_20261121"
RUN = Run("customer_data", "run-1")


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
