"""A campaign begins only on data that passed its gates."""

from collections.abc import Sequence
from typing import Any

from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import BaseSensorOperator, Context
from airflow.sdk.exceptions import AirflowFailException


class RequireTrustedDay(BaseSensorOperator):
    """Waits until `customer_data` trusted the day; fails at once when a gate stopped it.

    There is no verdict before that DAG's run of the day, while it runs, again or not, and after a step of it failed.

    Args:
        day: the night's last complete GA4 day, ISO, templated.
    """

    template_fields: Sequence[str] = ("day",)

    def __init__(self, *, day: str, warehouse_conn_id: str = "warehouse", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.day = day
        self.warehouse_conn_id = warehouse_conn_id

    def poke(self, context: Context) -> bool:  # noqa: ARG002
        """Look once.

        Raises:
            AirflowFailException: the day was stopped; says by which gate and what to do.
        """
        hook = PostgresHook(postgres_conn_id=self.warehouse_conn_id)
        verdict = hook.get_first(
            "SELECT status, reason FROM ops.trusted_day WHERE day = %(day)s::date", parameters={"day": self.day}
        )
        if verdict is None:
            self.log.info(
                "There is no verdict on %s: customer_data of that day has not run, is running, or has failed. "
                "Waiting for it; where that run is red, mend what its report names and run it again.", self.day,
            )  # fmt: skip
            return False
        status, reason = verdict
        if status == "stopped":
            raise AirflowFailException(
                f"{self.day} is not trusted: {reason} "
                "Mend the data, run customer_data of that day again, then clear this run."
            )
        return True
