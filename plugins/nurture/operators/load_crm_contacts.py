"""Changed CRM contacts into the warehouse."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import BaseOperator, Context


class LoadCrmContactsOperator(BaseOperator):
    """Reads HubSpot contacts that changed since the last load into `raw_hubspot.contacts` and `staging.contacts`.

    The first load reads everything. Later ones read what changed since the watermark `hubspot.contacts` and all archived
    contacts. Run again, it leaves the same tables. Contacts or fields that do not fit go to `ops.dead_letter`.

    Args:
        day: the night's last complete GA4 day, ISO, templated; kept in `ops.load_log` only, a CRM has no past days.
        crm_conn_id: connection of type HTTP, see `HubSpotHook`.
        warehouse_conn_id: connection of type Postgres.
    """

    template_fields: Sequence[str] = ("day",)

    def __init__(self, *, day: str, crm_conn_id: str = "crm", warehouse_conn_id: str = "warehouse", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.day = day
        self.crm_conn_id = crm_conn_id
        self.warehouse_conn_id = warehouse_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        from nurture.hooks.hubspot import paced_hubspot
        from nurture.policy import load_policy
        from nurture.warehouse.crm_contacts import load_contacts

        policy = load_policy()
        with (
            paced_hubspot(self.crm_conn_id, self.warehouse_conn_id, policy=policy.crm) as crm,
            PostgresHook(postgres_conn_id=self.warehouse_conn_id).get_conn() as connection,
        ):
            counts = load_contacts(
                connection,
                crm,
                policy.crm,
                policy.consent,
                dag_id=context["dag"].dag_id,
                run_id=context["run_id"],
                day=self.day,
            )
        self.log.info("%s", counts)
        return asdict(counts)
