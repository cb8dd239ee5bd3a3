"""One day of the GA4 export, from Arrow as BigQuery delivers it to rows that the warehouse takes.

Whatever columns a table has, a batch is first given the same thirteen; DuckDB then turns nested columns into JSON,
puts the rows into one order and sets the unfit ones aside. Nothing here loops over rows in Python.
"""

import io
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

from nurture.errors import TerminalError
from nurture.warehouse.statements import statement

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

USED_COLUMNS = (
    "event_timestamp", "event_name", "user_id", "user_pseudo_id", "stream_id", "event_params", "user_properties",
    "items", "ecommerce", "geo", "device", "traffic_source",
)  # fmt: skip
REQUIRED_COLUMNS = ("event_date", "event_timestamp", "event_name", "event_params", "user_pseudo_id", "user_id")
KNOWN_COLUMNS = frozenset(
    (*USED_COLUMNS, *REQUIRED_COLUMNS, "event_previous_timestamp", "event_value_in_usd", "event_bundle_sequence_id",
     "event_server_timestamp_offset", "privacy_info", "user_first_touch_timestamp", "user_ltv", "app_info", "platform",
     "event_dimensions", "collected_traffic_source", "is_active_user", "batch_event_index", "batch_page_id",
     "batch_ordering_id", "session_traffic_source_last_click", "publisher", "event_original_occurrence_timestamp")
)  # fmt: skip
"""The export's columns as of 2026; a table with others is loaded, and they are named in `ops.load_log`."""

# JSON text that PostgreSQL refuses: a NUL character, or NaN and Infinity after a field's name.
UNFIT_JSON = r'(^|[^\\])(\\\\)*\\u0000|[^\\:,\[{]":(NaN|-?Infinity)'
MEMORY = "1GB"  # a day that needs more is sorted on disk
BATCH_ROWS = 16_384


class UnfitRow(NamedTuple):
    """A row that cannot be stored; `row` is its number within the day, `json` the row itself."""

    row: int
    field: str
    reason: str
    json: str


def new_columns(schema: "pa.Schema") -> list[str]:
    """The columns of a table that the export did not have in 2026."""
    return sorted(set(schema.names) - KNOWN_COLUMNS)


def check_columns(table: str, schema: "pa.Schema") -> None:
    """
    Raises:
        TerminalError: the table lacks a column without which no event can be understood, or `event_params` is no list
            of keys and values.
    """
    import pyarrow as pa

    if missing := [name for name in REQUIRED_COLUMNS if name not in schema.names]:
        raise TerminalError(
            f"{table}: column {', '.join(f'`{name}`' for name in missing)} is missing; expected the columns of the GA4 "
            "export. See whether the table is one that GA4 wrote and whether the connection `ga4` names its dataset."
        )
    kind = schema.field("event_params").type
    is_list = pa.types.is_list(kind) and pa.types.is_struct(kind.value_type)
    if not is_list or {"key", "value"} - {field.name for field in kind.value_type}:
        raise TerminalError(
            f"{table}: column `event_params` is of type {kind}; expected a list of {{key, value}}. "
            "See whether the table is one that GA4 wrote."
        )


class Day:
    """The rows of one export table, shaped, numbered and checked. Made by `shaped`."""

    def __init__(self, connection: "duckdb.DuckDBPyConnection", day: date) -> None:
        self._connection = connection
        self._day = day

    def copy_chunks(self) -> Iterator[bytes]:
        """The fit rows as CSV for COPY, in the order of the columns of `raw_ga4.events`; NULL is empty, '' is quoted."""
        import pyarrow.csv

        options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="needed")
        fit = self._connection.sql(_text("raw_ga4/fit_rows.sql"), params={"day": self._day})
        for batch in fit.to_arrow_reader(BATCH_ROWS):
            chunk = io.BytesIO()
            pyarrow.csv.write_csv(batch, chunk, options)
            yield chunk.getvalue()

    def unfit(self) -> Iterator[list[UnfitRow]]:
        """The unfit rows, some hundred at a time."""
        cursor = self._connection.execute(_text("raw_ga4/unfit_rows.sql"))
        while rows := cursor.fetchmany(500):
            yield [UnfitRow(*row) for row in rows]


@contextmanager
def shaped(rows: "pa.RecordBatchReader", *, day: date, table: str, max_param_bytes: int) -> Iterator[Day]:
    """Take `rows` in, batch by batch, and hold them ready until the block ends.

    Raises:
        TerminalError: as `check_columns`.
    """
    import duckdb

    check_columns(table, rows.schema)
    parameters = {"day": day, "max_param_bytes": max_param_bytes, "unfit_json": UNFIT_JSON}
    with tempfile.TemporaryDirectory(prefix="nurture-ga4-") as spill:
        settings = {
            "memory_limit": MEMORY, "temp_directory": spill, "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }  # fmt: skip
        with duckdb.connect(config=settings) as connection:
            connection.execute(_text("raw_ga4/create_delivered.sql"))
            connection.execute(_text("raw_ga4/longest.sql"))
            for batch in rows:
                connection.register("batch", _same_columns(batch))
                connection.execute(_text("raw_ga4/shape_batch.sql"), parameters)
            connection.execute(_text("raw_ga4/number_rows.sql"))
            yield Day(connection, day)


def _same_columns(batch: "pa.RecordBatch") -> "pa.Table":
    """`USED_COLUMNS` (NULL where the table has none) and `rest`, a struct of all others. Copies nothing but slices."""
    import pyarrow as pa

    if any(column.offset for column in batch.columns):  # DuckDB does not read a struct within a struct of a slice
        batch = pa.ipc.read_record_batch(batch.serialize(), batch.schema)
    nothing = pa.nulls(batch.num_rows, pa.string())
    used: list[Any] = [batch.column(name) if name in batch.schema.names else nothing for name in USED_COLUMNS]
    others: Sequence[str] = [name for name in batch.schema.names if name not in USED_COLUMNS]
    rest = pa.StructArray.from_arrays([batch.column(name) for name in others], names=list(others))
    return pa.table([*used, rest], names=[*USED_COLUMNS, "rest"])


def _text(name: str) -> str:
    return statement(name).decode()
