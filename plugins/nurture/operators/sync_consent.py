"""Changes of consent from the CRM into the warehouse."""

from dataclasses import asdict
from typing import Any

from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import BaseOperator, Context


class SyncConsentOperator(BaseOperator):
    """Reads what HubSpot says of consent on contacts that changed since the last sync or load, and keeps what is news.

    Run again, it changes nothing. Counts go to XCom, statements of consent to `ops.consent_event`.

    Args:
        crm_conn_id: connection of type HTTP, see `HubSpotHook`.
        warehouse_conn_id: connection of type Postgres.
    """

    def __init__(self, *, crm_conn_id: str = "crm", warehouse_conn_id: str = "warehouse", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.crm_conn_id = crm_conn_id
        self.warehouse_conn_id = warehouse_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        from nurture.consent.sync import sync_consent
        from nurture.hooks.hubspot import paced_hubspot
        from nurture.policy import load_policy

        policy = load_policy()
        with (
            paced_hubspot(self.crm_conn_id, self.warehouse_conn_id, policy=policy.crm) as crm,
            PostgresHook(postgres_conn_id=self.warehouse_conn_id).get_conn() as connection,
        ):
            counts = sync_consent(
                connection, crm, policy.crm, policy.consent, dag_id=context["dag"].dag_id, run_id=context["run_id"]
            )
        self.log.info("%s", counts)
        return asdict(counts)
