"""Copy onto CRM records, each message once."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowFailException

from nurture.contact_policy.seed_list import is_test_send
from nurture.warehouse.crm_contact_marks import SEED

if TYPE_CHECKING:
    from nurture.hooks.hubspot import HubSpotHook
    from nurture.ledger.attempt import Attempt
    from nurture.ledger.messages import Claimed
    from nurture.policy import Policy

GROUP = "nurture"
LABELS = {
    "nurture_subject": "Nurture: subject",
    "nurture_body": "Nurture: body",
    "nurture_cta": "Nurture: call to action",
    "nurture_message_id": "Nurture: message id",
    "nurture_campaign": "Nurture: campaign",
    "nurture_template": "Nurture: template and version",
    "nurture_send_after": "Nurture: send after",
}
"""The contact properties that a push writes."""
READ = {SEED: "Nurture: on the seed list"}
"""Those that people tick in the CRM."""
SHAPES = {
    "nurture_body": ("textarea", "string"),
    "nurture_send_after": ("date", "datetime"),
    SEED: ("booleancheckbox", "bool"),
}
"""Field type and value type of those that are not one line of text."""
LONGEST_FRESHNESS_DAYS = 36_500
PARTS = ("headline", "body", "cta")


class PushToCrmOperator(BaseOperator):
    """Writes the night's copy of one lane to contact properties in HubSpot, once per (campaign, person, slot).

    Consent is read again from the CRM right before each batch. A message whose answer was lost is read back before anything
    is sent again, in this run or in the next one. In the lane `approval`, copy that nobody approved is replaced by static
    copy. Counts go to XCom, refused records to `ops.dead_letter`, the state of each message to `ops.push_ledger`.

    Args:
        campaign: whose messages.
        lane: `ready` or `approval`.
        day: the night's last complete GA4 day, ISO, templated.
        freshness_days: messages whose trigger is older (UTC days, by the warehouse's clock) are not sent but superseded. A
            run may be given another number: the Param `freshness_days`. A test send is never too old.
        outputs: what is written for a message, see `nurture.ledger.output_kinds`; what comes after the properties is written
            for the night's messages that the CRM confirmed, of either lane, each once (`ops.push_output`).
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
        freshness_days: int = 7,
        outputs: Sequence[str] = ("properties",),
        crm_conn_id: str = "crm",
        warehouse_conn_id: str = "warehouse",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.campaign = campaign
        self.lane = lane
        self.day = day
        self.freshness_days = freshness_days
        self.outputs = outputs
        self.crm_conn_id = crm_conn_id
        self.warehouse_conn_id = warehouse_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        return self.rehearse(context) if (context.get("params") or {}).get("dry_run") else self.push(context)

    def rehearse(self, context: Context) -> dict[str, Any]:
        """A dry run: what the push would do now is kept in `ops.dry_run`; nothing is claimed, nothing is written."""
        from nurture.hooks.hubspot import paced_hubspot
        from nurture.ledger.attempt import attempt
        from nurture.ledger.dry_run import DryRun
        from nurture.ledger.output_kinds import further_outputs
        from nurture.policy import load_policy

        policy = load_policy()
        with (
            paced_hubspot(self.crm_conn_id, self.warehouse_conn_id, policy=policy.crm) as crm,
            PostgresHook(postgres_conn_id=self.warehouse_conn_id).get_conn() as connection,
            attempt(
                connection,
                campaign=self.campaign,
                lane=self.lane,
                day=self.day,
                run_id=context["run_id"],
                freshness_days=self._freshness_of(context),
            ) as mine,
        ):
            outputs = further_outputs(self.outputs)
            rehearsal = DryRun(mine, crm, self.compose, policy.crm, policy.consent, list(LABELS), outputs)
            counts = asdict(rehearsal.run(dag_id=context["dag"].dag_id))
        self.log.info("Dry run, nothing was claimed or written: %s", counts)
        return counts | {"dry_run": True}

    def push(self, context: Context, only: Sequence[str] | None = None) -> dict[str, Any]:
        """Push the lane, or of it the messages of the persons `only` (ids)."""
        from nurture.hooks.hubspot import PropertyDefinition, paced_hubspot
        from nurture.ledger.attempt import attempt
        from nurture.ledger.push import Hand, Push
        from nurture.policy import load_policy

        policy = load_policy()
        warehouse = PostgresHook(postgres_conn_id=self.warehouse_conn_id)
        with (
            paced_hubspot(self.crm_conn_id, self.warehouse_conn_id, policy=policy.crm) as crm,
            warehouse.get_conn() as connection,
            attempt(
                connection,
                campaign=self.campaign,
                lane=self.lane,
                day=self.day,
                run_id=context["run_id"],
                freshness_days=self._freshness_of(context),
                only=only,
            ) as mine,
        ):

            @contextmanager
            def another_hand() -> Iterator[Hand]:
                with warehouse.get_conn() as own:
                    yield Hand(mine.over(own), crm.another())

            crm.ensure_properties(
                [PropertyDefinition(name, label, *SHAPES.get(name, ())) for name, label in (LABELS | READ).items()],
                group=GROUP,
            )
            counts = asdict(Push(mine, crm, self.compose, policy.crm, policy.consent, another_hand=another_hand).run())
            counts |= self._write_outputs(mine, crm, policy)
        self.log.info("%s", counts)
        return counts

    def _write_outputs(self, mine: "Attempt", crm: "HubSpotHook", policy: "Policy") -> dict[str, Any]:
        """Counts by output, of the notes and tasks that the campaign chose; nothing when it chose none."""
        from nurture.hooks.hubspot_engagements import HubSpotEngagements
        from nurture.ledger.output_kinds import further_outputs
        from nurture.ledger.outputs import write_outputs

        outputs = further_outputs(self.outputs)
        if not outputs:
            return {}
        timeline = HubSpotEngagements(self.crm_conn_id, policy=policy.crm, quota=crm.quota)
        timeline.ensure_keys(outputs, group=GROUP)
        counts = write_outputs(mine, timeline, outputs, lambda row: fill_copy(row.parts, row.placeholder_values), policy)
        return {"outputs": counts}

    def _freshness_of(self, context: Context) -> int:
        """The campaign's own, or what whoever started this run asked for."""
        asked = (context.get("params") or {}).get("freshness_days")
        if asked is None:
            return LONGEST_FRESHNESS_DAYS if is_test_send(self.campaign) else self.freshness_days
        if type(asked) is not int or not 1 <= asked <= LONGEST_FRESHNESS_DAYS:
            raise AirflowFailException(
                f"freshness_days: found {asked!r}, expected a whole number of days from 1 to {LONGEST_FRESHNESS_DAYS}, or "
                "nothing for the campaign's own. Nothing was pushed; start the run again with another."
            )
        self.log.info("This run was told to push messages up to %d days old.", asked)
        return asked

    def compose(self, message: "Claimed") -> Mapping[str, str]:
        """The properties of one message, placeholders filled here and nowhere else."""
        filled = fill_copy(message.output, message.placeholder_values)
        return {
            "nurture_subject": filled["headline"],
            "nurture_body": filled["body"],
            "nurture_cta": filled["cta"],
            "nurture_message_id": message.message_id,
            "nurture_campaign": self.campaign,
            "nurture_template": message.template,
            "nurture_send_after": str(int(message.send_after.timestamp() * 1000)),
        }


def fill_copy(output: Mapping[str, Any], values: Mapping[str, str | None]) -> dict[str, str]:
    """headline, body and cta of a piece of copy, placeholders filled.

    Raises:
        TerminalError: the piece cannot be used.
    """
    from nurture.copywriting.assembly import fill
    from nurture.errors import TerminalError

    if missing := [part for part in PARTS if not output.get(part)]:
        raise TerminalError(f"the copy lacks {', '.join(missing)}; generate the night's copy again")
    return {part: fill(output[part], values) for part in PARTS}
