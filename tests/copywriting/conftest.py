"""An audience in a warehouse, and the sandbox model over HTTP."""

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from demo.postgres import EmbeddedPostgres
from nurture.copywriting.campaign_copy import CopyCounts, write_campaign_copy
from nurture.copywriting.copybook import Copybook
from nurture.copywriting.openai_model import OpenAIModel
from nurture.copywriting.store import Run
from nurture.policy import Llm, load_policy
from sandbox.model import RunningModel, running

CAMPAIGN, DAY = "lead_nurture", "2026-11-20"
TEMPLATE, FALLBACK = "lead_nurture@v1", "static_template@v3"


@pytest.fixture(scope="session")
def model_server(postgres: EmbeddedPostgres) -> Iterator[RunningModel]:
    name = f"model_{uuid4().hex[:8]}"
    postgres.create_database(name)
    with running(postgres.url(name)) as server:
        yield server


@pytest.fixture
def sandbox_model(model_server: RunningModel) -> RunningModel:
    """The sandbox model, behaving well and remembering nothing."""
    model_server.admin("reset", {})
    return model_server


@pytest.fixture
def policy() -> Llm:
    """The real policy, but for pauses short enough for a test."""
    return load_policy().llm.model_copy(update={"backoff_seconds": 0.01, "concurrency": 8})


@pytest.fixture
def book() -> Copybook:
    from datetime import date

    return Copybook(TEMPLATE, FALLBACK, date.fromisoformat(DAY))


@dataclass
class Night:
    """One campaign's night against the sandbox model."""

    connection: psycopg.Connection
    server: RunningModel
    policy: Llm
    run_id: str = "manual__1"

    def write(self, **changes: Any) -> CopyCounts:
        """Run the whole stage; `changes` are fields of the policy, or `model`, `api_key`, `url`."""
        name = changes.pop("model", "sandbox-writer-1")
        api_key, url = changes.pop("api_key", self.server.api_key), changes.pop("url", self.server.url)
        policy = self.policy.model_copy(update=changes)

        async def work() -> CopyCounts:
            from openai import AsyncOpenAI

            async with AsyncOpenAI(api_key=api_key, base_url=url) as client:
                return await write_campaign_copy(
                    self.connection, run=Run(CAMPAIGN, self.run_id, CAMPAIGN), day=DAY, template=TEMPLATE,
                    fallback_template=FALLBACK, policy=policy,
                    model=OpenAIModel(client, name, timeout_seconds=policy.timeout_seconds),
                )  # fmt: skip

        return asyncio.run(work())

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(query.encode()).fetchall()

    def prompts(self) -> list[str]:
        """Every prompt that the model was sent."""
        return [request["prompt"] for request in self.server.admin("requests")["requests"]]


@pytest.fixture
def night(warehouse: psycopg.Connection, sandbox_model: RunningModel, policy: Llm) -> Night:
    return Night(warehouse, sandbox_model, policy)


@pytest.fixture
def invite(warehouse: psycopg.Connection) -> Callable[..., None]:
    """Puts people into tonight's audience: `invite({"industry": "retail"}, arm="ai", people=3)`."""
    invited = iter(range(1_000_000))

    def add(context: Any, *, arm: str | None = "ai", people: int = 1, suppressed_reason: str | None = None) -> None:
        for _ in range(people):
            number = next(invited)
            warehouse.execute(
                """
                INSERT INTO marts.audience (campaign, day, person_id, slot, crm_id, trigger_event, trigger_at,
                                            trigger_event_day, trigger_row_number, context, suppressed_reason, arm)
                VALUES (%s, %s, %s, 'week-2026-W47', %s, 'form_submit', now(), %s, 1, %s::jsonb, %s, %s)
                """,
                (CAMPAIGN, DAY, f"p_{number:06d}", str(number), DAY, json.dumps(context), suppressed_reason, arm),
            )
        warehouse.commit()

    return add
