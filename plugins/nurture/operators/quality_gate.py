"""A gate in a DAG: what it finds wrong stops everything behind it, visibly."""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import BaseOperator, BaseOperatorLink, Context, SkipMixin
from airflow.sdk.bases.notifier import BaseNotifier
from airflow.sdk.configuration import conf

from nurture.operators.alert import GateAlert

if TYPE_CHECKING:
    from airflow.sdk.types import TaskInstanceKey

    from nurture.quality.verdict import Verdict


class DataDocsLink(BaseOperatorLink):
    """The button "Data Docs" on a gate's task: Great Expectations' page, served by the UI plugin."""

    name = "Data Docs"

    def get_link(self, operator: BaseOperator, *, ti_key: "TaskInstanceKey") -> str:  # noqa: ARG002
        """The address of the page, below the path at which this Airflow is served."""
        prefix = urlsplit(conf.get("api", "base_url", fallback="")).path.rstrip("/")
        query = {"dag_id": ti_key.dag_id, "run_id": ti_key.run_id, "gate": ti_key.task_id}
        return f"{prefix}/nurture/data-docs?{urlencode(query)}"


class QualityGateOperator(BaseOperator, SkipMixin):
    """Judges tables by `include/checks/<table>.yaml` with Great Expectations; when a check fails, skips what follows.

    The gate itself succeeds (it did its work); `report_run`, which is kept, turns the run red. Results are in
    `ops.gate_result`; before it looks, those of an earlier attempt of the run are dropped, of this gate and of the gates
    behind it. A check that cannot be evaluated fails the task.

    Args:
        tables: check files by name, e.g. `staging.events`.
        day: the night's last complete GA4 day, ISO, templated.
        campaign: the campaign, for the tables of one campaign.
        keep: task ids downstream that run all the same; teardowns always do.
        notifiers: told when a check fails; they find the verdict in `context["verdict"]`.
    """

    template_fields: Sequence[str] = ("day", "campaign")
    operator_extra_links = (DataDocsLink(),)
    inherits_from_skipmixin = True
    ui_color = "#f4e3c3"

    def __init__(
        self,
        *,
        tables: Sequence[str],
        day: str,
        campaign: str | None = None,
        keep: Sequence[str] = (),
        notifiers: Sequence[BaseNotifier] = (GateAlert(),),
        warehouse_conn_id: str = "warehouse",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.tables = tables
        self.day = day
        self.campaign = campaign
        self.keep = keep
        self.notifiers = notifiers
        self.warehouse_conn_id = warehouse_conn_id

    def execute(self, context: Context) -> dict[str, int]:
        from nurture.policy import load_policy
        from nurture.quality.gate import run_gate
        from nurture.quality.record import forget

        dag_id, run_id = context["dag"].dag_id, context["run_id"]
        behind = [task.task_id for task in self.get_flat_relatives(upstream=False) if isinstance(task, QualityGateOperator)]
        with PostgresHook(postgres_conn_id=self.warehouse_conn_id).get_conn() as connection:
            forget(connection, dag_id=dag_id, run_id=run_id, gates=[self.task_id, *behind])
            verdict = run_gate(
                connection, tables=self.tables, day=date.fromisoformat(self.day), campaign=self.campaign,
                dag_id=dag_id, run_id=run_id, gate=self.task_id, policy=load_policy(),
            )  # fmt: skip
        for result in verdict.results:
            self.log.info("%-5s %s: %s", result.status, result.check_name, result.detail)
        if not verdict.is_passed:
            self._stop(verdict, context)
        return verdict.counts()

    def _stop(self, verdict: "Verdict", context: Context) -> None:
        """Tell people, then skip; skipping ends `execute` by an exception, so the counts are pushed before."""
        context["ti"].xcom_push(key="return_value", value=verdict.counts())
        for notify in self.notifiers:
            try:
                notify({**context, "verdict": verdict})
            except Exception:
                # A mail server that is down must not let the night go on; the verdict is in ops.gate_result.
                self.log.exception("A notifier failed; the gate stops the night all the same.")
        behind = self.get_flat_relatives(upstream=False)
        self.skip(
            ti=context["ti"], tasks=[task for task in behind if task.task_id not in self.keep and not task.is_teardown]
        )
