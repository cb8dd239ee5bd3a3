"""Put synthetic or sample rows where the GA4 export would have put them: one BigQuery table a day, in the emulator.

Rows are dicts in the export's own shape. A table gets the columns of the 2026 export and, as Google does when it
adds one, every further column met in its rows. `stream_id` is INTEGER or STRING, as its rows have it.
"""

import io
import json
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any

from sandbox.ga4_schema import EXPORT_COLUMNS, Structure, fields

Row = Mapping[str, Any]


def export_days(
    rows_by_day: Mapping[date, Iterable[Row]],
    *,
    rest_url: str,
    project: str,
    dataset: str,
    intraday: Collection[date] = (),
) -> int:
    """Write each day as `events_YYYYMMDD`, or as `events_intraday_YYYYMMDD` for the days in `intraday`.

    A day that is there already, in either form, is replaced. The dataset is created when it is missing.

    Returns:
        How many rows were written.
    """
    client = _client(rest_url, project)
    client.create_dataset(dataset, exists_ok=True)
    written = 0
    for day, rows in rows_by_day.items():
        daily, partial = f"{dataset}.events_{day:%Y%m%d}", f"{dataset}.events_intraday_{day:%Y%m%d}"
        for table in (daily, partial):
            client.delete_table(table, not_found_ok=True)
        written += _write(client, partial if day in intraday else daily, rows)
    return written


def clear(*, rest_url: str, project: str, dataset: str) -> None:
    """Take the whole export away; one that is not there is no error."""
    client = _client(rest_url, project)
    client.delete_dataset(dataset, delete_contents=True, not_found_ok=True)


def _client(rest_url: str, project: str) -> Any:
    from google.api_core.client_options import ClientOptions
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import bigquery

    return bigquery.Client(
        project=project, credentials=AnonymousCredentials(), client_options=ClientOptions(api_endpoint=rest_url)
    )


def _write(client: Any, table: str, rows: Iterable[Row]) -> int:
    from google.cloud import bigquery

    lines = [json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows]
    schema = [bigquery.SchemaField.from_api_repr(field) for field in fields(EXPORT_COLUMNS, _structure(lines))]
    if not lines:
        client.create_table(bigquery.Table(f"{client.project}.{table}", schema=schema))
        return 0
    config = bigquery.LoadJobConfig(source_format="NEWLINE_DELIMITED_JSON", schema=schema)
    body = io.BytesIO("\n".join(lines).encode())
    # Without `size` the client uploads in resumable chunks: the emulator refuses its multipart form.
    client.load_table_from_file(body, table, job_config=config).result()
    return len(lines)


def _structure(lines: list[str]) -> Structure:
    """The shape that all rows of a table have together, e.g. `{"event_name": "VARCHAR", "items": [{…}]}`."""
    import duckdb
    import pyarrow

    if not lines:
        return {}
    delivered = pyarrow.table({"line": lines})  # noqa: F841  DuckDB finds it by its name
    with duckdb.connect() as connection:
        found = connection.execute("SELECT json_group_structure(line::JSON) FROM delivered").fetchone()
    return json.loads(found[0]) if found else {}
