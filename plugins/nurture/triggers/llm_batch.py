"""Waits for batches at a model's vendor, without a worker."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.triggers.base import BaseTrigger, TriggerEvent

from nurture.hooks.llm import LlmHook


class LlmBatchTrigger(BaseTrigger):
    """Fires when one of the batches has ended, when the campaign is switched off, or at `until`, whatever comes first.

    It decides nothing: the task looks for itself what became of its batches. A vendor or a warehouse that does not answer is
    asked again.

    Args:
        vendor_ids: the batches; none: only time must pass.
        until: ISO, with time zone.
        campaign: whose switch is looked at.
        poll_seconds: between two looks.
    """

    def __init__(
        self,
        *,
        vendor_ids: Sequence[str],
        until: str,
        campaign: str,
        poll_seconds: float,
        llm_conn_id: str = "llm",
        warehouse_conn_id: str = "warehouse",
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.vendor_ids = list(vendor_ids)
        self.until = until
        self.campaign = campaign
        self.poll_seconds = poll_seconds
        self.llm_conn_id = llm_conn_id
        self.warehouse_conn_id = warehouse_conn_id

    def serialize(self) -> tuple[str, dict[str, Any]]:
        kept = ("vendor_ids", "until", "campaign", "poll_seconds", "llm_conn_id", "warehouse_conn_id")
        return "nurture.triggers.llm_batch.LlmBatchTrigger", {name: getattr(self, name) for name in kept}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        until = datetime.fromisoformat(self.until)
        yield TriggerEvent({"why": await self._why(until)})  # type: ignore[no-untyped-call]

    async def _why(self, until: datetime) -> str:
        while (left := (until - datetime.now(UTC)).total_seconds()) > 0:
            if not await asyncio.to_thread(self._is_on):
                return "the switch is off"
            if self.vendor_ids and await self._has_one_ended():
                return "a batch has ended"
            await asyncio.sleep(min(self.poll_seconds, left))
        return "it is time to look again"

    async def _has_one_ended(self) -> bool:
        from nurture.copywriting.batches.campaign_batches import batch_vendor
        from nurture.copywriting.chat_model import ModelBusy, ModelRefused

        try:
            async with LlmHook(self.llm_conn_id).model(timeout_seconds=60, name="whichever wrote it") as model:
                vendor = batch_vendor(model)
                for one in self.vendor_ids:
                    if (await vendor.progress(one)).outcome is not None:
                        return True
        except (ModelBusy, ModelRefused) as error:
            self.log.warning("No answer about the batches: %s", error)
        return False

    def _is_on(self) -> bool:
        from nurture.copywriting.switch import is_on

        try:
            with PostgresHook(postgres_conn_id=self.warehouse_conn_id).get_conn() as connection:
                return is_on(connection, self.campaign)
        except psycopg.OperationalError as error:
            self.log.warning("No answer about the switch, which is taken to be on: %s", error)
            return True
