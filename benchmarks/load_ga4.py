"""GA4 events into the warehouse: rows a second from BigQuery's emulator, and the warehouse's part against raw COPY.

`python -m benchmarks.load_ga4 [--rows 100000] [--rounds 5]` starts a PostgreSQL and an emulator of its own and ends
them. Ours and raw COPY take turns on the same rows; raw COPY gets them as CSV that was made beforehand, into a table
with the same constraints. Figures are medians. The rows are synthetic, as wide as those of a real web shop.
"""

import argparse
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa

from benchmarks.scratch_warehouse import warehouse
from demo.bigquery import BigQueryEmulator, running
from nurture.hooks.ga4 import ExportTable, Ga4ExportHook
from nurture.warehouse import ga4_arrow, ga4_events
from sandbox.ga4_export import export_days

DAY = date(2026, 11, 21)
TABLE = ExportTable(DAY, f"events_{DAY:%Y%m%d}", is_intraday=False)
MAX_PARAM_BYTES = 65_536
NOTHING = dict.fromkeys(("string_value", "int_value", "float_value", "double_value"))


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rows", type=int, default=100_000)
    arguments.add_argument("--rounds", type=int, default=5)
    given = arguments.parse_args()
    with _folder() as folder, running(folder / "bigquery") as emulator, warehouse() as connection:
        print(f"{given.rows:,} rows, median of {given.rounds} rounds, {os.cpu_count()} CPUs", flush=True)
        _measure(connection, _exported(emulator, given.rows), given.rows, given.rounds)


def _measure(connection: psycopg.Connection, export: Ga4ExportHook, rows: int, rounds: int) -> None:
    delivered = export.read(TABLE).read_all()
    with _shaped(delivered) as shaped:
        prepared = list(shaped.copy_chunks())
    size = sum(map(len, prepared)) / rows
    print(f"{delivered.nbytes / rows:,.0f} bytes a row in Arrow, {size:,.0f} as CSV")
    connection.execute("CREATE TABLE raw_events (LIKE raw_ga4.events INCLUDING ALL)")
    whole, ours, raw, staging = [], [], [], []
    for _ in range(rounds):
        whole.append(_seconds(connection, lambda: _whole_load(connection, export)))
        ours.append(_seconds(connection, lambda: _warehouse_part(connection, delivered)))
        staging.append(_seconds(connection, lambda: ga4_events.stage_events(connection, [DAY]), keep="raw_ga4.events"))
        raw.append(_seconds(connection, lambda: _copy(connection, "raw_events", prepared)))
    _print("emulator → raw_ga4.events + staging.events", whole, rows)
    _print("Arrow in memory → raw_ga4.events, committed", ours, rows)
    _print("raw COPY of the same rows", raw, rows)
    _print("raw_ga4.events → staging.events", staging, rows)
    ratios = sorted(slow / fast for fast, slow in zip(ours, raw, strict=True))
    print(
        f"warehouse part / raw COPY: {statistics.median(ratios):.2f} (rounds: {ratios[0]:.2f}-{ratios[-1]:.2f}; aim ≥ 0.5)"
    )


def _whole_load(connection: psycopg.Connection, export: Ga4ExportHook) -> None:
    ga4_events.load_day(
        connection, day=DAY, table=TABLE.name, rows=export.read(TABLE), max_param_bytes=MAX_PARAM_BYTES,
        run=ga4_events.Run("benchmark", "benchmark"),
    )  # fmt: skip


def _warehouse_part(connection: psycopg.Connection, delivered: pa.Table) -> None:
    with _shaped(delivered) as shaped:
        connection.execute("DELETE FROM raw_ga4.events WHERE event_day = %s", (DAY,))
        ga4_events.copy_rows(connection, shaped.copy_chunks())


def _shaped(delivered: pa.Table) -> Any:
    return ga4_arrow.shaped(delivered.to_reader(), day=DAY, table=TABLE.name, max_param_bytes=MAX_PARAM_BYTES)


def _copy(connection: psycopg.Connection, table: str, chunks: list[bytes]) -> None:
    with connection.cursor().copy(f"COPY {table} FROM STDIN (FORMAT csv)".encode()) as copy:
        for chunk in chunks:
            copy.write(chunk)


def _seconds(connection: psycopg.Connection, action: Callable[[], Any], *, keep: str = "") -> float:
    """How long `action` takes with its commit, on tables that are empty but for `keep`."""
    for table in {"raw_ga4.events", "staging.events", "raw_events"} - {keep}:
        connection.execute(f"TRUNCATE {table}".encode())
    connection.commit()
    connection.execute("CHECKPOINT")
    connection.commit()
    began = time.perf_counter()
    action()
    connection.commit()
    return time.perf_counter() - began


def _print(what: str, seconds: list[float], rows: int) -> None:
    median = statistics.median(seconds)
    spread = f"{min(seconds):.2f}-{max(seconds):.2f}"
    print(f"{what:<46} {median:6.2f} s ({spread})  {rows / median:>9,.0f} rows/s")


def _exported(emulator: BigQueryEmulator, rows: int) -> Ga4ExportHook:
    os.environ["BIGQUERY_EMULATOR_HOST"] = emulator.rest_url
    os.environ["AIRFLOW_CONN_GA4"] = emulator.airflow_connection("analytics_1")
    days = {DAY: [_event(number) for number in range(rows)]}
    began = time.perf_counter()
    export_days(days, rest_url=emulator.rest_url, project=emulator.project, dataset="analytics_1")
    print(f"{rows:,} rows put into the emulator in {time.perf_counter() - began:.1f} s", flush=True)
    return Ga4ExportHook("ga4")


def _event(number: int) -> dict[str, Any]:
    user, noon = number % 5_000, int(datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp())
    page = f"https://www.larkfield.example/products/{number % 97}?utm_source=newsletter&utm_medium=email&step={number % 11}"
    params: dict[str, str | int] = {
        "ga_session_id": 1_795_000_000 + user, "ga_session_number": number % 9 + 1, "session_engaged": str(number % 2),
        "engagement_time_msec": number % 60_000, "page_location": page, "page_referrer": page[:60],
        "page_title": f"Product {number % 97} | Larkfield", "source": "newsletter", "medium": "email", "campaign": "autumn",
    }  # fmt: skip
    item = {
        "item_id": f"LF-{number % 97}",
        "item_name": f"Product {number % 97}",
        "item_category": "software",
        "price": 49.5,
    }
    return {
        "event_date": f"{DAY:%Y%m%d}",
        "event_timestamp": (noon + number * 7_919 % 40_000) * 1_000_000 + number % 1_000_000,
        "event_name": ("page_view", "scroll", "view_item", "user_engagement", "add_to_cart")[number % 5],
        "event_params": [{"key": key, "value": NOTHING | _form(value)} for key, value in params.items()],
        "user_id": f"user-{user}" if user % 3 else None,
        "user_pseudo_id": f"{user}.{user * 7_919}",
        "user_properties": [{"key": "plan", "value": NOTHING | {"string_value": "team", "set_timestamp_micros": 1}}],
        "device": {
            "category": "desktop",
            "operating_system": "Windows",
            "language": "en-us",
            "web_info": {"browser": "Edge"},
        },
        "geo": {"continent": "Europe", "country": "Germany", "region": "Hesse", "city": "Kassel"},
        "traffic_source": {"name": "(direct)", "medium": "(none)", "source": "(direct)"},
        "stream_id": "2100450278",
        "platform": "WEB",
        "items": [item] * (number % 4 == 0),
    }


def _form(value: str | int) -> dict[str, str | int]:
    return {"string_value": value} if isinstance(value, str) else {"int_value": value}


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="nurture-bench-", dir="/var/tmp" if os.geteuid() == 0 else None))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
