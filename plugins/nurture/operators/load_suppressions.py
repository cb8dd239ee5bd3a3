"""Hard bounces and spam complaints of the CRM onto the suppression lists."""

from typing import Any

from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import BaseOperator, Context


class LoadSuppressionsOperator(BaseOperator):
    """Reads HubSpot's spam reports since the last run, and the hard bounces among the contacts that were loaded.

    E-mail events that cannot be read cost a warning, not the night, whether their API is down or the private app lacks the
    scope `content`: HubSpot itself opts out who reports spam, and the push reads that. The next load reads what this one
    missed. Counts go to XCom, hashed addresses to `ops.suppression`.

    Args:
        crm_conn_id: connection of type HTTP, see `HubSpotHook`.
        warehouse_conn_id: connection of type Postgres.
    """

    def __init__(self, *, crm_conn_id: str = "crm", warehouse_conn_id: str = "warehouse", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.crm_conn_id = crm_conn_id
        self.warehouse_conn_id = warehouse_conn_id

    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002
        from nurture.contact_policy.undeliverable import keep_complaints, keep_hard_bounces
        from nurture.errors import TerminalError, TransientError
        from nurture.hooks.hubspot import paced_hubspot
        from nurture.hooks.hubspot_email_events import HubSpotEmailEvents
        from nurture.policy import load_policy

        policy = load_policy().crm
        counts: dict[str, Any] = {}
        with PostgresHook(postgres_conn_id=self.warehouse_conn_id).get_conn() as connection:
            counts["hard_bounces_added"] = keep_hard_bounces(connection)
            connection.commit()
            try:
                with paced_hubspot(self.crm_conn_id, self.warehouse_conn_id, policy=policy) as crm:
                    events = HubSpotEmailEvents(self.crm_conn_id, policy=policy, quota=crm.quota)
                    complaints = keep_complaints(connection, events)
                counts |= {"complaints_read": complaints.read, "complaints_added": complaints.added}
            except TransientError as error:
                self.log.warning("Spam complaints were not read: %s. The next load goes on where the last one ended.", error)
            except TerminalError as error:
                self.log.warning("Spam complaints were not read: %s. Give the private app the scope `content`.", error)
        self.log.info("%s", counts)
        return counts
