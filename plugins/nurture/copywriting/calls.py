"""`ops.llm_call`: each request is noted before it goes out and again when it is answered, so that no money is forgotten.

A row that stays `in_flight` after its run is a call whose attempt was killed: it may have been charged, and counts in full.
"""

from decimal import Decimal

import psycopg

from nurture.copywriting.chat_model import Answer
from nurture.copywriting.pieces import storable
from nurture.copywriting.requests import CopyRequest
from nurture.copywriting.store import Run
from nurture.warehouse.statements import statement

SWITCH = "ai_personalization"


def begin_call(
    connection: psycopg.Connection, run: Run, request: CopyRequest, *, model: str, attempt: int, worst_case_usd: Decimal
) -> int | None:
    """Note a call that is about to be made, and commit. None: the switch is off, nothing is noted, nothing may be asked."""
    values = {
        "dag_id": run.dag_id, "run_id": run.run_id, "campaign": run.campaign, "request_hash": request.request_hash,
        "template_id": request.template.id, "template_version": request.template.version, "model": model,
        "attempt": attempt, "worst_case_usd": worst_case_usd, "switch": SWITCH,
    }  # fmt: skip
    row = connection.execute(statement("copy/begin_call.sql"), values).fetchone()
    connection.commit()
    return int(row[0]) if row else None


def end_call(
    connection: psycopg.Connection, call_id: int, status: str, *, seconds: float, cost_usd: Decimal,
    error: str | None = None, answer: Answer | None = None,
) -> None:  # fmt: skip
    """Note what came of a call. Commits nothing: the answer is stored in the same transaction."""
    values = {
        "llm_call_id": call_id, "status": status, "error": storable(error)[:1000] if error else None,
        "prompt_tokens": (answer.prompt_tokens or 0) if answer else 0,
        "completion_tokens": (answer.completion_tokens or 0) if answer else 0,
        "cost_usd": cost_usd, "latency_ms": seconds * 1000,
    }  # fmt: skip
    connection.execute(statement("copy/end_call.sql"), values)


def is_switched_on(connection: psycopg.Connection) -> bool:
    """Whether models may be asked right now; without an entry they may not. Ends the transaction that it reads in."""
    row = connection.execute("SELECT is_on FROM ops.switch WHERE name = %s", (SWITCH,)).fetchone()
    connection.commit()
    return bool(row and row[0])


def spent_usd(connection: psycopg.Connection, dag_id: str, run_id: str) -> Decimal:
    """What the run has spent so far in all its attempts; calls without an outcome count at their worst case."""
    row = connection.execute(
        "SELECT coalesce(sum(cost_usd), 0) FROM ops.llm_call WHERE dag_id = %s AND run_id = %s", (dag_id, run_id)
    ).fetchone()
    return Decimal(row[0]) if row else Decimal(0)
