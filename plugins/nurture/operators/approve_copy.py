"""A person decides over flagged copy; no answer means static copy."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import Context, Param

APPROVE, REJECT = "Approve all", "Use static copy"
SHOWN = "shown_copy_ids"


class ApproveCopyOperator(HITLOperator):
    """Shows the night's flagged pieces (distinct copy, not contacts) as a table and keeps the answer in `ops.approval`.

    An answer is bound to the content hashes that were shown. With nothing flagged the task answers itself,
    so no branch leads around it. It never skips what follows.

    Args:
        campaign: the campaign whose copy it is.
        day: the night's last complete GA4 day, ISO, templated.
    """

    template_fields: Sequence[str] = ("campaign", "day")

    def __init__(self, *, campaign: str, day: str, warehouse_conn_id: str = "warehouse", **kwargs: Any) -> None:
        super().__init__(
            subject="Flagged copy waits for a person",
            options=[APPROVE, REJECT],
            defaults=[REJECT],
            params={"note": Param(None, type=["null", "string"], description="Why; kept with the decision")},
            **kwargs,
        )
        self.campaign = campaign
        self.day = day
        self.warehouse_conn_id = warehouse_conn_id

    def execute(self, context: Context) -> Any:
        from nurture.copywriting.review import flagged_pieces, review_table
        from nurture.policy import load_policy

        with PostgresHook(postgres_conn_id=self.warehouse_conn_id).get_conn() as connection:
            pieces = flagged_pieces(connection, campaign=self.campaign, day=self.day)
        if not pieces:
            self.log.info("Nothing was flagged: nobody needs to decide.")
            return {"flagged": 0}
        # Set here and not in a template: model text must not be rendered as Jinja.
        self.subject = f"{self.campaign} {self.day}: {len(pieces)} flagged pieces wait for a person"
        self.body = review_table(pieces)
        self.response_timeout = timedelta(hours=load_policy().approval.timeout_hours)
        context["ti"].xcom_push(key=SHOWN, value=[piece.copy_id for piece in pieces])
        return super().execute(context)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        from nurture.copywriting.review import record_decision

        answer = super().execute_complete(context, event)
        ti = context["ti"]
        shown = ti.xcom_pull(task_ids=ti.task_id, key=SHOWN) or []
        timed_out = bool(event.get("timedout"))
        approved = answer["chosen_options"] == [APPROVE]
        decision = "timed_out" if timed_out else "approved" if approved else "rejected"
        user = answer["responded_by_user"] or {}
        with PostgresHook(postgres_conn_id=self.warehouse_conn_id).get_conn() as connection:
            record_decision(
                connection, campaign=self.campaign, day=self.day, copy_ids=shown, decision=decision,
                reviewer=user.get("name"), note=(answer["params_input"] or {}).get("note"),
                decided_at=answer["responded_at"] or datetime.now(UTC), run_id=context["run_id"],
            )  # fmt: skip
        self.log.info("%d pieces: %s.", len(shown), decision)
        return {"flagged": len(shown), "decision": decision}
