"""Tries a prompt on its golden contexts and says whether it may be released."""

import asyncio
from typing import TYPE_CHECKING, Any

from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowFailException

if TYPE_CHECKING:
    from nurture.copywriting.evaluation_report import Report


class EvaluatePromptOperator(BaseOperator):
    """Writes copy for the golden contexts as a campaign would, judges it, and keeps the report in `ops.evaluation`.

    The run's Params say what: `template` (released or not), `model` (None: the connection's own for the template's risk
    level), `baseline` (None: the newest other released version). Fails, red, when the prompt does not reach the limits of
    the policy; XCom `report` is the report as Markdown either way.
    """

    def __init__(self, *, llm_conn_id: str = "llm", warehouse_conn_id: str = "warehouse", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.llm_conn_id = llm_conn_id
        self.warehouse_conn_id = warehouse_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        from nurture.copywriting.evaluation_markdown import markdown

        report = asyncio.run(self._evaluate(context["params"], dag_id=context["dag"].dag_id, run_id=context["run_id"]))
        text = markdown(report)
        self.log.info("The report:\n%s", text)
        context["ti"].xcom_push(key="report", value=text)
        if not report.passed:
            raise AirflowFailException(
                f"{report.template} did not pass: {'; '.join(report.failures)}. See the report in the log."
            )
        return {"template": report.template, "model": report.model, "baseline": report.baseline, "passed": report.passed}

    async def _evaluate(self, params: Any, *, dag_id: str, run_id: str) -> "Report":
        from datetime import UTC, datetime

        from nurture.copywriting.evaluation import CAMPAIGN, evaluate
        from nurture.copywriting.store import Run
        from nurture.copywriting.templates import read_template
        from nurture.hooks.llm import LlmHook
        from nurture.policy import load_policy

        policy, reference = load_policy(), params["template"]
        hook, risk = LlmHook(self.llm_conn_id), read_template(reference).risk
        with PostgresHook(postgres_conn_id=self.warehouse_conn_id).get_conn() as connection:
            async with hook.model(
                timeout_seconds=policy.llm.timeout_seconds, risk_level=risk, name=params.get("model")
            ) as model:  # fmt: skip
                return await evaluate(
                    connection, run=Run(dag_id, run_id, CAMPAIGN), reference=reference, model=model, policy=policy,
                    day=datetime.now(UTC).date(), baseline=params.get("baseline"),
                )  # fmt: skip
