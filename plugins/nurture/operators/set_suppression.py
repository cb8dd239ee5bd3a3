"""Suppression lists from the UI: who gets no message of any campaign, at once, without a deploy."""

from dataclasses import asdict
from typing import Any

from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowFailException

from nurture.operators.triggered_by import triggered_by


class SetSuppressionOperator(BaseOperator):
    """Adds to a list of `ops.suppression`, or removes from it, as the run's Params say; who, when and why stay.

    Running nights follow within seconds: every claim of a push asks. Values are neither logged nor returned.
    """

    def __init__(self, *, warehouse_conn_id: str = "warehouse", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.warehouse_conn_id = warehouse_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        from nurture.contact_policy.suppression_form import read_change
        from nurture.contact_policy.suppressions import apply_change
        from nurture.errors import TerminalError

        try:
            change = read_change(context["params"])
        except TerminalError as error:
            raise AirflowFailException(f"No list was changed: {error}") from None
        with PostgresHook(postgres_conn_id=self.warehouse_conn_id).get_conn() as connection:
            counts = apply_change(connection, change, by=triggered_by(context))
        self.log.info("%s, %s of kind %s: %s", change.list, change.action, change.kind, counts)
        return {"list": change.list, "action": change.action, "kind": change.kind, **asdict(counts)}
