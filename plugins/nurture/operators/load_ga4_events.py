"""GA4 export days from BigQuery into the warehouse."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import BaseOperator, Context

from nurture.errors import TerminalError
from nurture.hooks.ga4 import Ga4ExportHook


class LoadGa4EventsOperator(BaseOperator):
    """Reads the last export days again, as GA4 rewrites them for up to three, and replaces each of them as a whole.

    The first run on an empty warehouse reads every exported day up to `day`. A missing daily table falls back to the
    intraday one; with neither, what was loaded earlier stays. Both are said in `ops.load_log`. Rows that the warehouse
    cannot hold go to `ops.dead_letter`.

    Args:
        day: the night's last complete GA4 day, ISO, templated.
    """

    template_fields: Sequence[str] = ("day",)

    def __init__(self, *, day: str, ga4_conn_id: str = "ga4", warehouse_conn_id: str = "warehouse", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.day = day
        self.ga4_conn_id = ga4_conn_id
        self.warehouse_conn_id = warehouse_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        from nurture.policy import load_policy
        from nurture.warehouse import ga4_events

        policy, day = load_policy().ga4, date.fromisoformat(self.day)
        run = ga4_events.Run(context["dag"].dag_id, context["run_id"])
        export = Ga4ExportHook(self.ga4_conn_id)
        with PostgresHook(postgres_conn_id=self.warehouse_conn_id).get_conn() as connection:
            days, is_first = ga4_events.days_to_load(
                connection, day=day, available=export.available_days(), reread_days=policy.reread_days
            )
            tables = export.export_tables(days)
            if is_first and not tables:
                raise TerminalError(
                    f"{export.project}.{export.dataset} has no table events_YYYYMMDD up to {day}; expected the GA4 export. "
                    f"Link the GA4 property to BigQuery, or correct `dataset` in the connection `{self.ga4_conn_id}`."
                )
            missing = sorted(set(days) - {table.day for table in tables})
            for without_table in missing:
                self.log.warning("%s: %s.", without_table, ga4_events.MISSING_NOTE)
            ga4_events.record_missing_days(connection, run, missing)
            loads = []
            for table in tables:
                load = ga4_events.load_day(
                    connection, day=table.day, table=table.name, rows=export.read(table), run=run,
                    is_intraday=table.is_intraday, max_param_bytes=policy.max_param_bytes,
                )  # fmt: skip
                self.log.info("%s: %d rows, %d to the dead letters.", table.name, load.rows, load.dead)
                loads.append(load)
            if is_first:  # a table that was empty has no statistics until autovacuum comes by
                connection.execute("ANALYZE raw_ga4.events, staging.events")
        return ga4_events.summary(loads, missing=missing, is_first=is_first)
