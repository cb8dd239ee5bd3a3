"""An audience in a warehouse, and the sandbox model over HTTP."""

import json
from collections.abc import Callable, Iterator
from datetime import date
from itertools import product
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from batch_night import INDUSTRIES, BatchNight
from copy_night import CAMPAIGN, DAY, FALLBACK, TEMPLATE, Night

from demo.postgres import EmbeddedPostgres
from nurture.copywriting.copybook import Copybook
from nurture.copywriting.fact_store import sync_facts
from nurture.copywriting.facts import load_facts
from nurture.policy import Llm, load_policy
from sandbox.model import RunningModel, running


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
    return load_policy().llm.model_copy(update={"backoff_seconds": 0.01, "max_concurrency": 8})


@pytest.fixture(scope="session")
def facts_warehouse(postgres: EmbeddedPostgres, housekeeping: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """A warehouse that holds the real facts, for tests that only read them."""
    housekeeping.execute("CREATE DATABASE facts TEMPLATE migrated")
    with psycopg.connect(postgres.url("facts")) as connection:
        sync_facts(connection, load_facts().values())
        connection.commit()
        yield connection


@pytest.fixture
def book(facts_warehouse: psycopg.Connection) -> Copybook:
    """Lead nurture's copybook, with facts chosen for every context that its template tells apart."""
    book = Copybook(TEMPLATE, FALLBACK, date.fromisoformat(DAY))
    words = [[variable.default, *book.vocabulary.words(variable.choices)] for variable in book.template.variables.values()]
    contexts = [dict(zip(book.template.variables, chosen, strict=True)) for chosen in product(*words)]
    book.choose_facts(facts_warehouse, contexts)
    return book


@pytest.fixture
def night(warehouse: psycopg.Connection, sandbox_model: RunningModel, policy: Llm) -> Night:
    return Night(warehouse, sandbox_model, policy)


@pytest.fixture(params=["openai", pytest.param("anthropic", marks=pytest.mark.slow)])
def batch_night(
    request: pytest.FixtureRequest, warehouse: psycopg.Connection, sandbox_model: RunningModel, policy: Llm
) -> BatchNight:
    return BatchNight(warehouse, sandbox_model, policy, request.param)


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


@pytest.fixture
def four_contexts(batch_night: BatchNight, invite: Callable[..., None]) -> BatchNight:
    """Eight people in four contexts, and no batch yet."""
    for industry in INDUSTRIES:
        invite({"industry": industry, "pain_point": "stock errors"}, people=2)
    return batch_night
