"""Rows that are older than they may be go."""

from typing import Any

from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import BaseOperator, Context


class ApplyRetentionOperator(BaseOperator):
    """Deletes or empties rows by their age, as `include/personal_data.yaml` says; the Param `dry_run` only counts them.

    Batches are committed one by one: a run that was stopped goes on where it was. Rows by table go to XCom.
    """

    def __init__(self, *, warehouse_conn_id: str = "warehouse", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.warehouse_conn_id = warehouse_conn_id

    def execute(self, context: Context) -> dict[str, int]:
        from nurture.privacy.data_map import load_data_map
        from nurture.privacy.retention import apply_retention

        is_dry_run = bool(context["params"].get("dry_run"))
        with PostgresHook(postgres_conn_id=self.warehouse_conn_id).get_conn() as connection:
            rows = apply_retention(connection, load_data_map(), is_dry_run=is_dry_run)
        self.log.info("%s: %s", "Would go" if is_dry_run else "Gone", rows or "nothing is too old")
        return rows
