"""Runs the copy stage of one night as the operator does, against the sandbox model."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg

from nurture.copywriting.anthropic_model import AnthropicModel
from nurture.copywriting.campaign_copy import CopyCounts, write_campaign_copy
from nurture.copywriting.chat_model import Answer, ChatModel
from nurture.copywriting.openai_model import OpenAIModel
from nurture.copywriting.store import Run
from nurture.policy import Llm
from sandbox.model import RunningModel

CAMPAIGN, DAY = "lead_nurture", "2026-11-20"
TEMPLATE, FALLBACK = "lead_nurture@v1", "static_template@v3"
SECOND_MODEL = "sandbox-scribe-1"
RETAIL = {"industry": "Retail", "pain_point": "stock errors", "recent_product": "Larkfield Count", "persona": "founder"}

Invite = Callable[..., None]
"""The fixture `invite`: puts people into tonight's audience."""


class Wrapped:
    """A model that does something besides, in a test; as it is, it does nothing but pass on."""

    def __init__(self, model: ChatModel) -> None:
        self.model, self.name = model, model.name

    def sent(self, parameters: dict[str, Any]) -> dict[str, Any]:
        return self.model.sent(parameters)

    async def ask(self, *request: Any) -> Answer:
        return await self.model.ask(*request)


@dataclass
class Night:
    """One campaign's night against the sandbox model."""

    connection: psycopg.Connection
    server: RunningModel
    policy: Llm
    run_id: str = "manual__1"

    def write(self, **changes: Any) -> CopyCounts:
        """Run the whole stage.

        `changes`: fields of the policy (of `budget`, those that differ), `model`, `api_key`, `url`, a `wrap` of the model,
        and `second`: whether Anthropic's API of the same server takes over when the first model is down.
        """
        return asyncio.run(self.writing(**changes))

    async def writing(self, **changes: Any) -> CopyCounts:
        """The same, for tests that do more than one thing at a time."""
        from anthropic import AsyncAnthropic
        from openai import AsyncOpenAI

        wrap: Callable[[ChatModel], ChatModel] = changes.pop("wrap", lambda model: model)
        name, has_second = changes.pop("model", "sandbox-writer-1"), changes.pop("second", False)
        api_key, url = changes.pop("api_key", self.server.api_key), changes.pop("url", self.server.url)
        changes["budget"] = self.policy.budget.model_copy(update=changes.get("budget", {}))
        policy = self.policy.model_copy(update=changes)
        async with (
            AsyncOpenAI(api_key=api_key, base_url=url) as first,
            AsyncAnthropic(api_key=self.server.api_key, base_url=self.server.root) as second,
        ):
            models = [wrap(OpenAIModel(first, name, timeout_seconds=policy.timeout_seconds))]
            if has_second:
                models.append(AnthropicModel(second, SECOND_MODEL, timeout_seconds=policy.timeout_seconds))
            return await write_campaign_copy(
                self.connection, run=Run(CAMPAIGN, self.run_id, CAMPAIGN), day=DAY, template=TEMPLATE,
                fallback_template=FALLBACK, policy=policy, models=models,
            )  # fmt: skip

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(query.encode()).fetchall()

    def prompts(self) -> list[str]:
        """Every prompt that the model was sent."""
        return [request["prompt"] for request in self.server.admin("requests")["requests"]]
