"""The GA4 export in BigQuery: which days it has, and their rows as Arrow."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook

from nurture.errors import ConfigError, TerminalError, TransientError

if TYPE_CHECKING:
    import pyarrow as pa
    from airflow.providers.google.cloud.hooks.bigquery import BigQueryHook

PATIENCE_SECONDS = 60  # with an address where nothing answers; Google's own default is ten minutes
EXPORT_TABLE = re.compile(r"events_(?P<intraday>intraday_)?(?P<day>\d{8})")


@dataclass(frozen=True)
class ExportTable:
    """One day's table of the export.

    Attributes:
        day: the day in the time zone of the GA4 property, as in the table's suffix.
        name: `events_YYYYMMDD`, or `events_intraday_YYYYMMDD` while or where there is no daily table.
    """

    day: date
    name: str
    is_intraday: bool


class Ga4ExportHook(BaseHook):
    """Reads the export through the Google provider's `BigQueryHook` and the Storage Read API.

    The connection is one of type `google_cloud_platform`. Its extra carries, beside the provider's own fields,
    `dataset` (e.g. `analytics_123456`) and, for an emulator only, `storage_endpoint` (`host:port`, not encrypted,
    without credentials). The emulator's REST address is the environment variable `BIGQUERY_EMULATOR_HOST`.
    """

    def __init__(self, ga4_conn_id: str = "ga4") -> None:
        super().__init__()
        self.ga4_conn_id = ga4_conn_id

    @cached_property
    def bigquery(self) -> "BigQueryHook":
        from airflow.providers.google.cloud.hooks.bigquery import BigQueryHook

        return BigQueryHook(gcp_conn_id=self.ga4_conn_id, use_legacy_sql=False)

    @property
    def project(self) -> str:
        return self.bigquery.project_id

    @cached_property
    def dataset(self) -> str:
        """The export's dataset.

        Raises:
            ConfigError: the connection does not name it.
        """
        dataset = self.bigquery.extras.get("dataset")
        if not dataset:
            raise ConfigError(
                f"The connection `{self.ga4_conn_id}` has no `dataset` in its extra; "
                'add the dataset of the GA4 export, e.g. {"dataset": "analytics_123456"}.'
            )
        return str(dataset)

    def export_tables(self, days: Iterable[date]) -> list[ExportTable]:
        """The tables of those `days` that have one, by day; daily before intraday. Days without a table are left out.

        Raises:
            TerminalError: the dataset is not there or may not be read.
            TransientError: BigQuery did not answer; try again.
        """
        return [self._tables[day] for day in sorted(set(days)) if day in self._tables]

    def available_days(self) -> list[date]:
        """Every day that has a table, oldest first. Raises as `export_tables` does."""
        return sorted(self._tables)

    @cached_property
    def _tables(self) -> dict[date, ExportTable]:
        from google.cloud.bigquery.retry import DEFAULT_RETRY

        retry = DEFAULT_RETRY.with_timeout(PATIENCE_SECONDS)
        with _translated(f"Listing the tables of {self.project}.{self.dataset}", self.ga4_conn_id):
            client = self.bigquery.get_client(project_id=self.project)
            client.get_dataset(self.dataset, retry=retry)  # a missing dataset and an empty one may list the same
            names = [item.table_id for item in client.list_tables(self.dataset, retry=retry)]
        tables: dict[date, ExportTable] = {}
        for name in sorted(names, reverse=True):  # intraday sorts after daily: the daily table comes last and stays
            if (match := EXPORT_TABLE.fullmatch(name)) and (day := _day(match["day"])):
                tables[day] = ExportTable(day, name, is_intraday=bool(match["intraday"]))
        return tables

    def read(self, table: ExportTable) -> "pa.RecordBatchReader":
        """The rows of `table`, all columns, streamed: no more than a few pages are in memory. The order is BigQuery's.

        The reader raises as `export_tables` does, also while it is read.
        """
        import pyarrow as pa
        from google.api_core.exceptions import ServiceUnavailable
        from google.api_core.retry import Retry, if_exception_type
        from google.cloud.bigquery_storage_v1 import types

        path = f"projects/{self.project}/datasets/{self.dataset}/tables/{table.name}"
        wanted = types.ReadSession(table=path, data_format=types.DataFormat.ARROW)
        with self._reading(table):
            session = self._storage.create_read_session(
                parent=f"projects/{self.project}", read_session=wanted, max_stream_count=1,
                retry=Retry(if_exception_type(ServiceUnavailable), timeout=PATIENCE_SECONDS),
            )  # fmt: skip
            schema = pa.ipc.read_schema(pa.py_buffer(session.arrow_schema.serialized_schema))
        return pa.RecordBatchReader.from_batches(schema, self._batches(table, session, schema))

    def _batches(self, table: ExportTable, session: Any, schema: "pa.Schema") -> Iterator["pa.RecordBatch"]:
        import pyarrow as pa

        with self._reading(table):
            for stream in session.streams:
                for message in self._storage.read_rows(stream.name):
                    batch = pa.py_buffer(message.arrow_record_batch.serialized_record_batch)
                    yield pa.ipc.read_record_batch(batch, schema)

    def _reading(self, table: ExportTable) -> Any:
        return _translated(f"Reading {self.project}.{self.dataset}.{table.name}", self.ga4_conn_id)

    @cached_property
    def _storage(self) -> Any:
        from google.cloud.bigquery_storage_v1 import BigQueryReadClient

        endpoint = self.bigquery.extras.get("storage_endpoint")
        if not endpoint:
            return BigQueryReadClient(credentials=self.bigquery.get_credentials())
        import grpc
        from google.cloud.bigquery_storage_v1.services.big_query_read.transports import BigQueryReadGrpcTransport

        channel = grpc.insecure_channel(str(endpoint), options=[("grpc.max_receive_message_length", -1)])
        return BigQueryReadClient(transport=BigQueryReadGrpcTransport(channel=channel))


def _day(suffix: str) -> date | None:
    try:
        return datetime.strptime(suffix, "%Y%m%d").date()  # noqa: DTZ007  a date has no time zone
    except ValueError:
        return None


@contextmanager
def _translated(doing: str, connection_id: str) -> Iterator[None]:
    """Google's errors as ours: what was tried, what BigQuery said, what to do."""
    from google.api_core import exceptions as google
    from google.auth.exceptions import GoogleAuthError
    from requests.exceptions import ConnectionError as NoConnection

    try:
        yield
    except google.NotFound as error:
        raise TerminalError(
            f"{doing}: not found ({error.message}). Expected the GA4 export's dataset; "
            f"correct `project` and `dataset` in the extra of the connection `{connection_id}`."
        ) from error
    except (google.Forbidden, google.Unauthorized, GoogleAuthError) as error:
        raise TerminalError(
            f"{doing}: not allowed ({error}). Give the account of the connection `{connection_id}` the roles "
            "BigQuery Data Viewer on the dataset and BigQuery Read Session User on the project."
        ) from error
    except (google.ServerError, google.TooManyRequests, google.RetryError, NoConnection) as error:
        raise TransientError(f"{doing}: BigQuery did not answer ({error}). Trying again later is right.") from error
