"""Runs the copy stage of one night in batches, attempt by attempt, over both vendors' clients against the sandbox."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

import psycopg
from copy_night import CAMPAIGN, DAY, FALLBACK, TEMPLATE

from nurture.copywriting.anthropic_model import AnthropicModel
from nurture.copywriting.batches.batch_run import Waiting
from nurture.copywriting.batches.campaign_batches import (
    batch_vendor,
    write_campaign_copy_after_batches,
    write_campaign_copy_in_batches,
)
from nurture.copywriting.batches.vendor import BatchVendor
from nurture.copywriting.campaign_copy import CopyCounts
from nurture.copywriting.chat_model import ChatModel
from nurture.copywriting.openai_model import OpenAIModel
from nurture.copywriting.store import Run
from nurture.copywriting.switch import set_switch
from nurture.policy import Llm
from sandbox.model import RunningModel

INDUSTRIES = ("retail", "healthcare", "logistics", "manufacturing")
MODELS = {"openai": "sandbox-writer-1", "anthropic": "sandbox-scribe-1"}


class Killed(BaseException):
    """The end of a process, wherever it is."""


@dataclass
class BatchNight:
    """One campaign's night against the sandbox model."""

    connection: psycopg.Connection
    server: RunningModel
    policy: Llm
    vendor: str
    run_id: str = "manual__1"

    def attempt(self, wrap: Callable[[BatchVendor], Any] = lambda vendor: vendor, **changes: Any) -> CopyCounts | Waiting:
        """One attempt, as far as it goes.

        Args:
            wrap: put around the vendor's batch API.
            changes: `model`, `api_key`, `root` (the vendor's address), `second` (whether the other vendor's model takes
                over), or fields of policy `llm.batch`.
        """
        name, has_second = changes.pop("model", MODELS[self.vendor]), changes.pop("second", False)
        client = self._client(changes.pop("root", self.server.root), changes.pop("api_key", self.server.api_key))
        policy = self.policy.model_copy(update={"batch": self.policy.batch.model_copy(update=changes)})

        async def work() -> CopyCounts | Waiting:
            async with client, self._client(self.server.root, self.server.api_key, self.other) as other_client:
                models = [self._model(client, name), self._model(other_client, MODELS[self.other], self.other)]
                return await write_campaign_copy_in_batches(
                    self.connection, policy=policy, models=models if has_second else models[:1],
                    vendor=wrap(batch_vendor(models[0])), **self._what(),
                )  # fmt: skip

        return asyncio.run(work())

    def attempt_in_calls(self) -> CopyCounts | Waiting:
        """The same night one by one, as far as it goes."""

        async def work() -> CopyCounts | Waiting:
            async with self._client(self.server.root, self.server.api_key) as client:
                models = [self._model(client, MODELS[self.vendor])]
                return await write_campaign_copy_after_batches(
                    self.connection, policy=self.policy, models=models, **self._what()
                )

        return asyncio.run(work())

    def write_in_calls(self) -> CopyCounts:
        """One attempt one by one that must be the last."""
        counts = self.attempt_in_calls()
        assert isinstance(counts, CopyCounts), counts
        return counts

    def finish(self, **changes: Any) -> CopyCounts:
        """One attempt that must be the last."""
        counts = self.attempt(**changes)
        assert isinstance(counts, CopyCounts), counts
        return counts

    def wait(self, **changes: Any) -> Waiting:
        """One attempt that must end in waiting."""
        waiting = self.attempt(**changes)
        assert isinstance(waiting, Waiting), waiting
        return waiting

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(query.encode()).fetchall()

    def at_vendor(self) -> list[dict[str, Any]]:
        """Every batch that the vendor was asked to make, and took."""
        return self.server.admin("batches")

    def behave(self, **faults: Any) -> None:
        """Say how batches pass from now on: fields of `sandbox.model.batch_desk.BatchFaults`."""
        self.server.admin("batches", faults)

    def forget(self) -> None:
        """As if no batch had ever been planned."""
        self.connection.execute("TRUNCATE ops.llm_batch, ops.llm_call, ops.budget")
        self.connection.commit()

    def _what(self) -> dict[str, Any]:
        run = Run(CAMPAIGN, self.run_id, CAMPAIGN)
        return {"run": run, "day": DAY, "template": TEMPLATE, "fallback_template": FALLBACK}

    @property
    def other(self) -> str:
        """The other vendor."""
        return "anthropic" if self.vendor == "openai" else "openai"

    def _model(self, client: Any, name: str, vendor: str | None = None) -> ChatModel:
        kind: Any = OpenAIModel if (vendor or self.vendor) == "openai" else AnthropicModel
        return cast(ChatModel, kind(client, name, timeout_seconds=10))

    def _client(self, root: str, api_key: str, vendor: str | None = None) -> Any:
        if (vendor or self.vendor) == "openai":
            from openai import AsyncOpenAI

            return AsyncOpenAI(api_key=api_key, base_url=f"{root}/v1")
        from anthropic import AsyncAnthropic

        return AsyncAnthropic(api_key=api_key, base_url=root)


class Wrapped:
    """A vendor's batch API with a hand in between; tests override what they want to break."""

    def __init__(self, vendor: BatchVendor) -> None:
        self._vendor = vendor

    def __getattr__(self, name: str) -> Any:
        return getattr(self._vendor, name)


def switch(night: BatchNight, *, is_on: bool) -> None:
    set_switch(night.connection, "ai_personalization", "lead_nurture", is_on=is_on, changed_by="test")
    night.connection.commit()


def reserved(night: BatchNight) -> tuple[Decimal, int]:
    """What is set aside for the run."""
    [(usd, tokens)] = night.rows("SELECT reserved_usd, reserved_tokens FROM ops.budget WHERE scope = 'run'")
    return usd, tokens


def pass_the_deadline(night: BatchNight, *, hours: float = 0) -> None:
    night.connection.execute("UPDATE ops.llm_batch SET deadline = clock_timestamp() - make_interval(hours => %s)", (hours,))
    night.connection.commit()


def states(night: BatchNight) -> list[Any]:
    return [row[0] for row in night.rows("SELECT state FROM ops.llm_batch ORDER BY planned_at, batch_key")]


def statuses(night: BatchNight) -> list[Any]:
    return [row[0] for row in night.rows("SELECT status FROM ops.llm_call WHERE batch_key IS NOT NULL ORDER BY status")]
