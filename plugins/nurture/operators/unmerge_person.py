"""Separates a person whom the CRM merged by mistake, from the UI."""

from dataclasses import asdict
from typing import Any

from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowFailException

from nurture.operators.triggered_by import triggered_by


class UnmergePersonOperator(BaseOperator):
    """Tells one person apart as the run's Params say; who, when and why stay in `ops.identity_event`.

    Messages sent before count for both, both keep their arms, and later nights do not merge them again because the CRM still
    lists the old contact.
    """

    def __init__(self, *, warehouse_conn_id: str = "warehouse", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.warehouse_conn_id = warehouse_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        from nurture.errors import TerminalError
        from nurture.identity.unmerge import unmerge

        params = context["params"]
        with PostgresHook(postgres_conn_id=self.warehouse_conn_id).get_conn() as connection:
            try:
                done = unmerge(
                    connection,
                    person_id=params.get("person_id"),
                    crm_id=params.get("crm_id"),
                    new_crm_id=params.get("new_crm_id"),
                    decided_by=triggered_by(context),
                    note=params.get("note") or "",
                )
            except TerminalError as error:
                raise AirflowFailException(f"Nobody was separated: {error}") from None
        self.log.info("%s", done)
        return asdict(done)
