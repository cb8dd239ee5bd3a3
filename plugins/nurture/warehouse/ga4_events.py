"""GA4 events in the warehouse: one export day at a time, raw and staging together, whole or not at all."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import psycopg

from nurture.warehouse import ga4_arrow
from nurture.warehouse.dead_letter import DeadLetter, bury
from nurture.warehouse.ga4_arrow import UnfitRow
from nurture.warehouse.statements import statement

if TYPE_CHECKING:
    import pyarrow as pa

SOURCE = "ga4.events"
INTRADAY_NOTE = "no daily table: read the intraday one, which may lack late events"
MISSING_NOTE = "no daily and no intraday table: rows loaded earlier for this day are kept"


@dataclass(frozen=True)
class Run:
    """The Airflow run on whose behalf rows are loaded, as `ops.load_log` names it."""

    dag_id: str
    run_id: str


@dataclass(frozen=True)
class DayLoad:
    """What became of one export table: `rows` stored, `dead` set aside, columns that the export did not have in 2026."""

    day: date
    is_intraday: bool
    rows: int
    dead: int
    new_columns: list[str]


def days_to_load(
    connection: psycopg.Connection, *, day: date, available: Iterable[date], reread_days: int
) -> tuple[list[date], bool]:
    """Which days a night reads: the last `reread_days` up to `day`, as GA4 rewrites them, and whatever was never loaded.

    On an empty warehouse that is every exported day up to `day`. A first load that broke off is taken up where it ended.

    Returns:
        The days, oldest first, with and without a table, and whether this is a first load.
    """
    is_first = connection.execute("SELECT NOT EXISTS (SELECT FROM raw_ga4.events)").fetchone() == (True,)
    loaded = set() if is_first else {row[0] for row in connection.execute(statement("raw_ga4/loaded_days.sql"))}
    window = {day - timedelta(days=back) for back in range(reread_days)}
    never_loaded = {exported for exported in available if exported <= day and exported not in loaded}
    return sorted(window | never_loaded), is_first


def load_day(
    connection: psycopg.Connection,
    *,
    day: date,
    table: str,
    rows: "pa.RecordBatchReader",
    max_param_bytes: int,
    run: Run,
    is_intraday: bool = False,
) -> DayLoad:
    """Replace `day` by the rows of `table` in `raw_ga4.events` and `staging.events`, in one transaction of its own.

    The same rows give the same tables, in whatever order they come. Rows that cannot be stored go to
    `ops.dead_letter` under `table:row`; those of an earlier load of the day that are not met again count as settled.

    Raises:
        TerminalError: the table lacks a column without which no event can be understood.
    """
    connection.commit()  # a transaction of the caller's would hold this one open
    added = ga4_arrow.new_columns(rows.schema)
    notes = [INTRADAY_NOTE] if is_intraday else []
    notes += [f"columns new to the export, kept in `rest`: {', '.join(added)}"] if added else []
    shaped = ga4_arrow.shaped(rows, day=day, table=table, max_param_bytes=max_param_bytes)
    with shaped as delivered, connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(hashtext('raw_ga4.events'), %s)", (day.toordinal(),))
        connection.execute("DELETE FROM raw_ga4.events WHERE event_day = %s", (day,))
        connection.execute(statement("raw_ga4/settle_dead_letters.sql"), {"suffix": f"{day:%Y%m%d}"})
        stored = copy_rows(connection, delivered.copy_chunks())
        connection.execute(statement("privacy/pseudonymise_events.sql"), {"day": day})
        dead = sum(
            bury(connection, _letters(table, unfit), dag_id=run.dag_id, run_id=run.run_id) for unfit in delivered.unfit()
        )
        connection.execute(statement("privacy/clear_event_letters.sql"), {"suffix": f"{day:%Y%m%d}"})
        stage_events(connection, [day])
        log_load(connection, run, table=table, day=day, rows=stored, dead=dead, note="; ".join(notes) or None)
    return DayLoad(day, is_intraday, stored, dead, added)


def copy_rows(connection: psycopg.Connection, chunks: Iterable[bytes]) -> int:
    """Append CSV to `raw_ga4.events`; returns how many rows."""
    with connection.cursor() as cursor:
        with cursor.copy("COPY raw_ga4.events FROM STDIN (FORMAT csv)") as copy:
            for chunk in chunks:
                copy.write(chunk)
        return cursor.rowcount


def stage_events(connection: psycopg.Connection, days: Sequence[date]) -> None:
    """Rebuild `staging.events` for `days` from `raw_ga4.events`. Commits nothing."""
    connection.execute("DELETE FROM staging.events WHERE event_day = ANY(%s)", (list(days),))
    connection.execute(statement("staging/events.sql"), {"days": list(days)})


def record_missing_days(connection: psycopg.Connection, run: Run, days: Iterable[date]) -> None:
    """Keep in `ops.load_log` that `days` have no export table; what was loaded for them earlier stays."""
    for day in days:
        log_load(connection, run, table=f"events_{day:%Y%m%d}", day=day, rows=0, dead=0, note=MISSING_NOTE)


def summary(loads: Sequence[DayLoad], *, missing: Iterable[date], is_first: bool) -> dict[str, Any]:
    """What one run did, as its XCom says it: counts, days in ISO form, column names."""
    return {
        "days": [load.day.isoformat() for load in loads],
        "rows": sum(load.rows for load in loads),
        "dead": sum(load.dead for load in loads),
        "intraday_days": [load.day.isoformat() for load in loads if load.is_intraday],
        "missing_days": [day.isoformat() for day in missing],
        "first_load": is_first,
        "new_columns": sorted({name for load in loads for name in load.new_columns}),
    }


def log_load(
    connection: psycopg.Connection, run: Run, *, table: str, day: date, rows: int, dead: int, note: str | None
) -> None:
    """Keep in `ops.load_log` what one run did with one table; a retry of the run overwrites it."""
    values = {"dag_id": run.dag_id, "run_id": run.run_id, "source": f"ga4.{table}", "day": day}
    connection.execute(statement("raw_ga4/log_load.sql"), values | {"rows": rows, "dead": dead, "note": note})


def _letters(table: str, rows: Iterable[UnfitRow]) -> Iterator[DeadLetter]:
    for row in rows:
        reason = f"{row.reason}. Correct the event where it is sent; a later load of the day settles this."
        # PostgreSQL holds no NUL character; JSON has no NaN.
        payload = json.loads(row.json.replace("\\u0000", "\\ufffd"), parse_constant=str)
        yield DeadLetter(source=SOURCE, key=f"{table}:{row.row}", field=row.field, reason=reason, payload=payload)
