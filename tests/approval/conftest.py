"""A reviewer's step that waits for an answer, and flagged pieces to put before it."""

from collections.abc import Callable

import psycopg
import pytest
from approval_step import CAMPAIGN, DAY, FACTS, TEXTS, Review, Supervisor
from psycopg.types.json import Jsonb

from nurture.copywriting.fact_store import sync_facts
from nurture.copywriting.facts import load_facts
from nurture.copywriting.pieces import Piece, sha256


@pytest.fixture
def review(warehouse_url: str, monkeypatch: pytest.MonkeyPatch) -> Review:
    from airflow.sdk.execution_time import task_runner

    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", warehouse_url)
    supervisor = Supervisor()
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", supervisor, raising=False)
    return Review(supervisor)


@pytest.fixture
def flag(warehouse: psycopg.Connection) -> Callable[..., str]:
    """Puts a flagged piece before the reviewer: `flag(people=3, headline="…")` gives back its id."""
    sync_facts(warehouse, load_facts().values())
    numbers = iter(range(1000))

    def add(*, people: int = 1, **texts: str) -> str:
        output = Piece.citing(TEXTS | texts, FACTS).stored()
        request = f"request {next(numbers)}"
        copy_id = sha256({"request_hash": request, "output": output})
        warehouse.execute(
            """
            INSERT INTO ops.copy (copy_id, request_hash, campaign, template_id, template_version, origin, model, parameters,
                                  context, fact_ids, output, verdict, reasons)
            VALUES (%s, %s, %s, 'lead_nurture', 1, 'model', 'writer-1', '{}', %s, %s, %s, 'flagged', %s)
            """,
            (copy_id, request, CAMPAIGN,
             Jsonb({"industry": "retail", "pain_point": "stock_errors", "recent_product": "LF-COUNT"}), Jsonb(FACTS),
             Jsonb(output), Jsonb([{"name": "discount", "found": "says 'deal'"}])),
        )  # fmt: skip
        for fact_id in FACTS:
            warehouse.execute("INSERT INTO ops.copy_source VALUES (%s, %s, 1, 'a handbook')", (copy_id, fact_id))
        warehouse.execute(
            "INSERT INTO ops.message SELECT %s, %s, 'p' || gen_random_uuid(), 'week-1', 'message of ' || %s, %s, %s,"
            " 'approval' FROM generate_series(1, %s)",
            (CAMPAIGN, DAY, copy_id, copy_id, copy_id, people),
        )
        warehouse.commit()
        return copy_id

    return add
