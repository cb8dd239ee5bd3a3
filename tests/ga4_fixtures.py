"""The BigQuery emulator for tests, and GA4 rows to put into it."""

import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from demo.bigquery import BigQueryEmulator, running

Row = dict[str, Any]
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


@pytest.fixture(scope="session")
def bigquery() -> Iterator[BigQueryEmulator]:
    """A BigQuery emulator for this test session; give each test a dataset of its own."""
    with tempfile.TemporaryDirectory(prefix="nurture-bigquery-") as folder, running(Path(folder)) as emulator:
        before = os.environ.get("BIGQUERY_EMULATOR_HOST")
        os.environ["BIGQUERY_EMULATOR_HOST"] = emulator.rest_url
        yield emulator
        if before is None:
            del os.environ["BIGQUERY_EMULATOR_HOST"]
        else:
            os.environ["BIGQUERY_EMULATOR_HOST"] = before


def param(key: str, value: str | int | float | None) -> Row:
    """One entry of `event_params`, in the form that its type has in the export."""
    forms: Row = dict.fromkeys(("string_value", "int_value", "float_value", "double_value"))
    if isinstance(value, str):
        forms["string_value"] = value
    elif isinstance(value, int):
        forms["int_value"] = value
    elif value is not None:
        forms["double_value"] = value
    return {"key": key, "value": forms}


def event(day: date, name: str = "page_view", *, second: int = 0, **columns: Any) -> Row:
    """A small event of `day`, at `second` seconds after noon UTC."""
    at = datetime.combine(day, time(12), UTC) + timedelta(seconds=second)
    return {
        "event_date": f"{day:%Y%m%d}",
        "event_timestamp": int(at.timestamp()) * 1_000_000,
        "event_name": name,
        "event_params": [param("ga_session_id", 77)],
        "user_id": "user-1",
        "user_pseudo_id": "device-1",
        "user_properties": [],
        "items": [],
        "device": {"category": "desktop", "web_info": {"browser": "Edge"}},
        "stream_id": "1234",
    } | columns


def arrow(rows: list[Row]) -> pa.Table:
    """The rows as BigQuery would deliver them: known columns in the export's types, others as they come."""
    names = dict.fromkeys(name for row in rows for name in row)
    return pa.table({name: pa.array([row.get(name) for row in rows], TYPES.get(name)) for name in names})
