"""Writes what tonight's audience is told: one piece for each distinct context, never one for each person."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import BaseOperator, Context


class GenerateCopyOperator(BaseOperator):
    """Fills `ops.message`: stored copy first, a model for what is new, static copy for whatever fails or is refused.

    Every answer is kept as it arrives, so a killed and retried task asks only for what is missing, and a repeated
    night asks for nothing. Returns the counts of `nurture.copywriting.campaign_copy.CopyCounts`.

    Args:
        campaign: the campaign whose audience it is.
        template: the prompt as `id@version`.
        fallback_template: static copy as `id@version`.
        day: the night's last complete GA4 day, ISO, templated.
    """

    template_fields: Sequence[str] = ("campaign", "template", "fallback_template", "day")

    def __init__(
        self,
        *,
        campaign: str,
        template: str,
        fallback_template: str,
        day: str,
        llm_conn_id: str = "llm",
        warehouse_conn_id: str = "warehouse",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.campaign = campaign
        self.template = template
        self.fallback_template = fallback_template
        self.day = day
        self.llm_conn_id = llm_conn_id
        self.warehouse_conn_id = warehouse_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        return asyncio.run(self._write(dag_id=context["dag"].dag_id, run_id=context["run_id"]))

    async def _write(self, *, dag_id: str, run_id: str) -> dict[str, Any]:
        from nurture.copywriting.campaign_copy import write_campaign_copy
        from nurture.copywriting.store import Run
        from nurture.hooks.llm import LlmHook
        from nurture.policy import load_policy

        policy = load_policy().llm
        with PostgresHook(postgres_conn_id=self.warehouse_conn_id).get_conn() as connection:
            async with LlmHook(self.llm_conn_id).model(timeout_seconds=policy.timeout_seconds) as model:
                counts = await write_campaign_copy(
                    connection,
                    run=Run(dag_id, run_id, self.campaign),
                    day=self.day,
                    template=self.template,
                    fallback_template=self.fallback_template,
                    model=model,
                    policy=policy,
                )
        return asdict(counts)
