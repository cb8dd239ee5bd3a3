"""The last step of every night: says what happened, and turns a stopped or broken night red."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowFailException

if TYPE_CHECKING:
    import psycopg

BROKEN = {"failed", "upstream_failed"}
NOT_RUN = {"upstream_failed", "skipped"}


class ReportRunOperator(BaseOperator):
    """Writes `ops.run_report` and fails when a gate stopped the run or a step failed (an `all_done` leaf would hide both).

    It also fails when more of a campaign's messages reached nobody than `gates.undelivered_message_share_max` in policy, and
    when one person of its audience is not accounted for.

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
        from nurture.dead_letters.letters import settle
        from nurture.scorecard.night import keep_report, night_report, run_kind, stop_reason

        ti, dag_id, run_id = context["ti"], context["dag"].dag_id, context["run_id"]
        states = ti.get_task_states(dag_id=dag_id, run_ids=[run_id]).get(run_id, {})
        broken = sorted(task for task, state in states.items() if state in BROKEN and task != ti.task_id)
        with PostgresHook(postgres_conn_id=self.warehouse_conn_id).get_conn() as connection:
            not_run = [task for task, state in states.items() if state in NOT_RUN]
            stopped = stop_reason(connection, dag_id=dag_id, run_id=run_id, not_run=not_run)
            settle(connection)
            report = night_report(connection, dag_id=dag_id, run_id=run_id, day=self.day, campaign=self.campaign)
            is_dry = bool((context.get("params") or {}).get("dry_run"))
            report = run_kind(is_dry=is_dry, name=self.campaign) | report
            missed = None if broken or stopped or is_dry else self._missed(connection, report)
            outcome = "failed" if broken else "stopped" if stopped else "failed" if missed else "completed"
            steps = f"These steps failed: {', '.join(broken)}; their logs say why." if broken else None
            reason = " ".join(words for words in (steps, stopped) if words) or missed
            keep_report(
                connection, dag_id=dag_id, run_id=run_id, day=self.day, outcome=outcome, reason=reason,
                report=report, decides_trust=self.campaign is None,
            )  # fmt: skip
        if reason:
            raise AirflowFailException(f"{dag_id} of {self.day} {outcome}: {reason}")
        self.log.info("%s of %s completed.", dag_id, self.day)
        return {"outcome": outcome}

    def _missed(self, connection: "psycopg.Connection", report: dict[str, Any]) -> str | None:
        """Whom a campaign's night did not reach, or lost sight of, although every step ran; `report` gets the equation."""
        from nurture.ledger.accounting import balance
        from nurture.policy import load_policy
        from nurture.scorecard.delivery import undelivered_reason

        if self.campaign is None:
            return None
        gates = load_policy().gates
        undelivered = undelivered_reason(
            report, share_max=gates.undelivered_message_share_max, count_min=gates.undelivered_messages_min
        )
        equation = balance(connection, campaign=self.campaign, day=self.day)
        report["accounting"] = equation.as_report()
        return " ".join(words for words in (undelivered, equation.reason()) if words) or None
