"""The last step of every night: says what happened, and turns a stopped or broken night red."""

from collections.abc import Sequence
from typing import Any

from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowFailException

BROKEN = {"failed", "upstream_failed"}
NOT_RUN = {"upstream_failed", "skipped"}


class ReportRunOperator(BaseOperator):
    """Writes `ops.run_report` and fails when a gate stopped the run or a step failed (an `all_done` leaf would hide both).

    It also fails when more of a campaign's messages reached nobody than `gates.undelivered_message_share_max` in policy.

    Args:
        day: the night's last complete GA4 day, ISO, templated.
        campaign: the campaign, or None for `customer_data`, whose stop makes the day untrusted.
    """

    template_fields: Sequence[str] = ("day", "campaign")

    def __init__(
        self, *, day: str, campaign: str | None = None, warehouse_conn_id: str = "warehouse", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.day = day
        self.campaign = campaign
        self.warehouse_conn_id = warehouse_conn_id

    def execute(self, context: Context) -> dict[str, str]:
        from nurture.policy import load_policy
        from nurture.scorecard.delivery import undelivered_reason
        from nurture.scorecard.night import keep_report, night_report, stop_reason

        share_max = load_policy().gates.undelivered_message_share_max
        ti, dag_id, run_id = context["ti"], context["dag"].dag_id, context["run_id"]
        states = ti.get_task_states(dag_id=dag_id, run_ids=[run_id]).get(run_id, {})
        broken = sorted(task for task, state in states.items() if state in BROKEN and task != ti.task_id)
        with PostgresHook(postgres_conn_id=self.warehouse_conn_id).get_conn() as connection:
            not_run = [task for task, state in states.items() if state in NOT_RUN]
            stopped = stop_reason(connection, dag_id=dag_id, run_id=run_id, not_run=not_run)
            report = night_report(connection, dag_id=dag_id, run_id=run_id, day=self.day)
            undelivered = undelivered_reason(report, share_max=share_max)
            outcome = "failed" if broken else "stopped" if stopped else "failed" if undelivered else "completed"
            steps = f"These steps failed: {', '.join(broken)}; their logs say why." if broken else None
            reason = " ".join(words for words in (steps, stopped) if words) or undelivered
            keep_report(
                connection, dag_id=dag_id, run_id=run_id, day=self.day, outcome=outcome, reason=reason,
                report=report, decides_trust=self.campaign is None,
            )  # fmt: skip
        if reason:
            raise AirflowFailException(f"{dag_id} of {self.day} {outcome}: {reason}")
        self.log.info("%s of %s completed.", dag_id, self.day)
        return {"outcome": outcome}
