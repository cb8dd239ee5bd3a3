"""Turns switches from the UI: model copy on or off, another template version, another model; at once, without a deploy."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowFailException

from nurture.operators.triggered_by import triggered_by


class SetSwitchOperator(BaseOperator):
    """Writes `ops.switch` as the run's Params say; who, when and why stay in `ops.switch_event`.

    Running nights follow within seconds: before each call to a model, and before each batch of a push.

    Args:
        campaigns: those that there are; the Param `campaign` is one of them, or `*` for all.
    """

    def __init__(
        self, *, campaigns: Sequence[str], llm_conn_id: str = "llm", warehouse_conn_id: str = "warehouse", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.campaigns = campaigns
        self.llm_conn_id = llm_conn_id
        self.warehouse_conn_id = warehouse_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        from nurture.copywriting.switch import is_on, pinned, set_switch
        from nurture.copywriting.switch_form import read_changes
        from nurture.errors import TerminalError
        from nurture.hooks.llm import LlmHook

        params = context["params"]
        try:
            changes = read_changes(params, self.campaigns, vendor=LlmHook(self.llm_conn_id).vendor)
        except TerminalError as error:
            raise AirflowFailException(f"Nothing was switched: {error}") from None
        with PostgresHook(postgres_conn_id=self.warehouse_conn_id).get_conn() as connection:
            for change in changes:
                set_switch(
                    connection, change.name, change.campaign, is_on=change.is_on, value=change.value,
                    changed_by=triggered_by(context), note=params.get("note"),
                )  # fmt: skip
                self.log.info("%s", change)
            now = {
                campaign: {"ai_personalization": is_on(connection, campaign), **asdict(pinned(connection, campaign))}
                for campaign in self.campaigns
            }
        self.log.info("What holds now: %s", now)
        return now
