"""Runs the copy stage of one night as the operator does, against the sandbox model."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg

from nurture.copywriting.campaign_copy import CopyCounts, write_campaign_copy
from nurture.copywriting.chat_model import ChatModel
from nurture.copywriting.openai_model import OpenAIModel
from nurture.copywriting.store import Run
from nurture.policy import Llm
from sandbox.model import RunningModel

CAMPAIGN, DAY = "lead_nurture", "2026-11-20"
TEMPLATE, FALLBACK = "lead_nurture@v1", "static_template@v3"


@dataclass
class Night:
    """One campaign's night against the sandbox model."""

    connection: psycopg.Connection
    server: RunningModel
    policy: Llm
    run_id: str = "manual__1"

    def write(self, **changes: Any) -> CopyCounts:
        """Run the whole stage; `changes`: fields of the policy, `model`, `api_key`, `url`, a `wrap` of the model."""
        wrap: Callable[[ChatModel], ChatModel] = changes.pop("wrap", lambda model: model)
        name = changes.pop("model", "sandbox-writer-1")
        api_key, url = changes.pop("api_key", self.server.api_key), changes.pop("url", self.server.url)
        policy = self.policy.model_copy(update=changes)

        async def work() -> CopyCounts:
            from openai import AsyncOpenAI

            async with AsyncOpenAI(api_key=api_key, base_url=url) as client:
                return await write_campaign_copy(
                    self.connection, run=Run(CAMPAIGN, self.run_id, CAMPAIGN), day=DAY, template=TEMPLATE,
                    fallback_template=FALLBACK, policy=policy,
                    model=wrap(OpenAIModel(client, name, timeout_seconds=policy.timeout_seconds)),
                )  # fmt: skip

        return asyncio.run(work())

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(query.encode()).fetchall()

    def prompts(self) -> list[str]:
        """Every prompt that the model was sent."""
        return [request["prompt"] for request in self.server.admin("requests")["requests"]]
