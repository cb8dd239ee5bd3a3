"""Writes what tonight's audience is told: one piece for each distinct context, never one for each person."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import BaseOperator, Context

if TYPE_CHECKING:
    from nurture.copywriting.batches.batch_run import Waiting
    from nurture.copywriting.campaign_copy import CopyCounts

Mode = Literal["calls", "batch"]


class GenerateCopyOperator(BaseOperator):
    """Fills `ops.message`: stored copy first, a model for what is new, static copy for whatever fails or is refused.

    Every answer is kept as it arrives, so a killed and retried task asks only for what is missing, and a repeated
    night asks for nothing. Returns the counts of `nurture.copywriting.campaign_copy.CopyCounts`.

    Args:
        campaign: the campaign whose audience it is.
        template: the prompt as `id@version`, unless a switch pins the campaign to another. Its risk level chooses the model.
        fallback_template: static copy as `id@version`.
        day: the night's last complete GA4 day, ISO, templated.
        mode: `calls` asks one by one; `batch` hands everything to the vendor's batch API and waits, without a worker, at
            half the price (policy `llm.batch`).
    """

    template_fields: Sequence[str] = ("campaign", "template", "fallback_template", "day")

    def __init__(
        self,
        *,
        campaign: str,
        template: str,
        fallback_template: str,
        day: str,
        mode: Mode = "calls",
        llm_conn_id: str = "llm",
        warehouse_conn_id: str = "warehouse",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.campaign = campaign
        self.template = template
        self.fallback_template = fallback_template
        self.day = day
        self.mode = mode
        self.llm_conn_id = llm_conn_id
        self.warehouse_conn_id = warehouse_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        from nurture.copywriting.batches.batch_run import Waiting

        written = asyncio.run(self._write(dag_id=context["dag"].dag_id, run_id=context["run_id"]))
        if isinstance(written, Waiting):
            self._wait(written)
        return asdict(written)

    def resume(self, context: Context, event: dict[str, Any]) -> dict[str, Any]:
        """After the wait: as a retry does, by what `ops.llm_batch` says."""
        self.log.info("Looking after the batches again: %s.", event["why"])
        return self.execute(context)

    def _wait(self, waiting: "Waiting") -> NoReturn:
        from nurture.policy import load_policy
        from nurture.triggers.llm_batch import LlmBatchTrigger

        self.log.info("Waiting for %d batches, at most until %s.", len(waiting.vendor_ids), waiting.until)
        self.defer(
            trigger=LlmBatchTrigger(
                vendor_ids=waiting.vendor_ids,
                until=waiting.until.isoformat(),
                campaign=self.campaign,
                poll_seconds=load_policy().llm.batch.poll_seconds,
                llm_conn_id=self.llm_conn_id,
                warehouse_conn_id=self.warehouse_conn_id,
            ),
            method_name="resume",
        )

    async def _write(self, *, dag_id: str, run_id: str) -> "CopyCounts | Waiting":
        from nurture.copywriting.batches.campaign_batches import (
            write_campaign_copy_after_batches,
            write_campaign_copy_in_batches,
        )
        from nurture.copywriting.store import Run
        from nurture.copywriting.switch import pinned
        from nurture.copywriting.templates import load_campaign_template
        from nurture.hooks.llm import chat_models
        from nurture.policy import load_policy

        policy = load_policy().llm
        with PostgresHook(postgres_conn_id=self.warehouse_conn_id).get_conn() as connection:
            pins = pinned(connection, self.campaign)
            connection.commit()
            template = pins.template or self.template
            if pins.template or pins.model:
                self.log.info("Pinned for %s: template %s, model %s.", self.campaign, pins.template, pins.model)
            # The push refuses what another model than the pinned one wrote, so none takes over for it.
            takes_over = policy.fallover_conn_id if pins.model is None else None
            conn_ids = [self.llm_conn_id, *([takes_over] if takes_over else [])]
            risk_level = load_campaign_template(template).risk
            async with chat_models(
                conn_ids, timeout_seconds=policy.timeout_seconds, risk_level=risk_level, first_name=pins.model
            ) as models:
                write = write_campaign_copy_after_batches if self.mode == "calls" else write_campaign_copy_in_batches
                return await write(
                    connection,
                    run=Run(dag_id, run_id, self.campaign),
                    day=self.day,
                    template=template,
                    fallback_template=self.fallback_template,
                    models=models,
                    policy=policy,
                )
