"""Copy onto CRM records, each message once."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import BaseOperator, Context

if TYPE_CHECKING:
    from nurture.ledger.attempt import Claimed

GROUP = "nurture"
LABELS = {
    "nurture_subject": "Nurture: subject",
    "nurture_body": "Nurture: body",
    "nurture_cta": "Nurture: call to action",
    "nurture_message_id": "Nurture: message id",
    "nurture_campaign": "Nurture: campaign",
    "nurture_template": "Nurture: template and version",
}
"""The contact properties that a push writes."""


class PushToCrmOperator(BaseOperator):
    """Writes the night's copy of one lane to contact properties in HubSpot, once per (campaign, person, slot).

    Consent is read again from the CRM right before each batch. A message whose answer was lost is read back before anything
    is sent again, in this run or in the next one. In the lane `approval`, copy that nobody approved is replaced by static
    copy. Counts go to XCom, refused records to `ops.dead_letter`, the state of each message to `ops.push_ledger`.

    Args:
        campaign: whose messages.
        lane: `ready` or `approval`.
        day: the night's last complete GA4 day, ISO, templated.
        crm_conn_id: connection of type HTTP, see `HubSpotHook`.
        warehouse_conn_id: connection of type Postgres; a session of its own, no transaction pooling in between.
    """

    template_fields: Sequence[str] = ("campaign", "lane", "day")

    def __init__(
        self,
        *,
        campaign: str,
        lane: str,
        day: str,
        crm_conn_id: str = "crm",
        warehouse_conn_id: str = "warehouse",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.campaign = campaign
        self.lane = lane
        self.day = day
        self.crm_conn_id = crm_conn_id
        self.warehouse_conn_id = warehouse_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        from nurture.hooks.hubspot import HubSpotHook, PropertyDefinition
        from nurture.ledger.attempt import attempt
        from nurture.ledger.push import Push
        from nurture.policy import load_policy

        policy = load_policy()
        crm = HubSpotHook(self.crm_conn_id, policy=policy.crm)
        crm.ensure_properties(
            [
                PropertyDefinition(name, label, "textarea" if name == "nurture_body" else "text")
                for name, label in LABELS.items()
            ],
            group=GROUP,
        )
        with (
            PostgresHook(postgres_conn_id=self.warehouse_conn_id).get_conn() as connection,
            attempt(connection, campaign=self.campaign, lane=self.lane, day=self.day, run_id=context["run_id"]) as mine,
        ):
            counts = Push(mine, crm, self.compose, policy.crm, policy.consent).run()
        self.log.info("%s", counts)
        return asdict(counts)

    def compose(self, message: "Claimed") -> Mapping[str, str]:
        """The properties of one message, placeholders filled here and nowhere else."""
        from nurture.copywriting.assembly import fill
        from nurture.errors import TerminalError

        parts = {"nurture_subject": "headline", "nurture_body": "body", "nurture_cta": "cta"}
        if missing := [part for part in parts.values() if not message.output.get(part)]:
            raise TerminalError(f"the copy lacks {', '.join(missing)}; generate the night's copy again")
        filled = {name: fill(message.output[part], message.placeholder_values) for name, part in parts.items()}
        return filled | {
            "nurture_message_id": message.message_id,
            "nurture_campaign": self.campaign,
            "nurture_template": message.template,
        }
