"""`ops.llm_call`: each request is noted before it goes out and again when it is answered, so that no money is forgotten.

A row that stays `in_flight` after its run is a call whose attempt was killed. If it had gone out (`sent_at`), it may have
been charged, and counts in full; else the run's next attempt takes it back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import LiteralString

import psycopg
from psycopg.types.json import Jsonb

from nurture.copywriting.budget import NOTHING, Amount, Purse, settle
from nurture.copywriting.chat_model import Answer
from nurture.copywriting.pieces import storable
from nurture.copywriting.requests import CopyRequest
from nurture.copywriting.store import Run
from nurture.policy import Budget
from nurture.warehouse.statements import statement


@dataclass(frozen=True)
class PlannedCall:
    """A request that is about to go out, for the `attempt`-th time, and what it can cost."""

    request: CopyRequest
    model: str
    attempt: int
    worst: Amount
    purse: Purse


@dataclass(frozen=True)
class CallOutcome:
    """What came of a call. `cost` replaces its worst case; `status` is as in `ops.llm_call`."""

    call_id: int
    plan: PlannedCall
    status: str
    seconds: float
    cost: Amount
    error: str | None = None
    answer: Answer | None = None


@dataclass(frozen=True)
class Begun:
    """Leave to make a call, or why there is none: a cap (its key in policy) or a switch (its name)."""

    call_id: int | None
    forbidden_by: str | None = None
    capped_by: str | None = None


def begin_calls(connection: psycopg.Connection, run: Run, plans: Sequence[PlannedCall]) -> list[Begun]:
    """Note calls that are about to be made, but for those that a switch forbids."""
    calls = [
        {
            "request_hash": plan.request.request_hash,
            "template_id": plan.request.template.id,
            "template_version": plan.request.template.version,
            "model": plan.model,
            "attempt": plan.attempt,
            "worst_case_usd": str(plan.worst.usd),
            "worst_case_tokens": plan.worst.tokens,
            "budget_day": plan.purse.day.isoformat(),
        }
        for plan in plans
    ]
    values = {"dag_id": run.dag_id, "run_id": run.run_id, "campaign": run.campaign, "calls": Jsonb(calls)}
    return [Begun(*row) for row in connection.execute(statement("copy/begin_call.sql"), values)]


def end_calls(connection: psycopg.Connection, outcomes: Sequence[CallOutcome]) -> None:
    """Note what came of calls."""
    connection.execute(statement("copy/end_calls.sql"), {"calls": Jsonb([_row(outcome) for outcome in outcomes])})


def mark_sent(connection: psycopg.Connection, call_ids: Sequence[int]) -> set[int]:
    """Note that calls go out now. Those whose note is still there: the others may not go."""
    return _ids(connection, "UPDATE ops.llm_call SET sent_at = clock_timestamp() WHERE llm_call_id = ANY(%s)", call_ids)


def withdraw_calls(connection: psycopg.Connection, call_ids: Sequence[int]) -> set[int]:
    """Take back notes of calls that did not go out after all. Those whose note was still there."""
    return _ids(connection, "DELETE FROM ops.llm_call WHERE llm_call_id = ANY(%s)", call_ids)


def withdraw_unsent(connection: psycopg.Connection, run: Run, budget: Budget) -> None:
    """Take back what attempts of `run` that are over had noted and never sent, and give its money back."""
    rows = connection.execute(statement("copy/withdraw_unsent.sql"), {"dag_id": run.dag_id, "run_id": run.run_id})
    for campaign, day, usd, tokens in rows.fetchall():
        purse = Purse.of(Run(run.dag_id, run.run_id, campaign), budget, day)
        settle(connection, purse, reserved=Amount(usd, tokens), spent=NOTHING)


def _ids(connection: psycopg.Connection, change: LiteralString, call_ids: Sequence[int]) -> set[int]:
    return {row[0] for row in connection.execute(change + " RETURNING llm_call_id", (list(call_ids),))}


def _row(outcome: CallOutcome) -> dict[str, int | float | str | None]:
    answer = outcome.answer
    return {
        "llm_call_id": outcome.call_id,
        "status": outcome.status,
        "error": storable(outcome.error)[:1000] if outcome.error else None,
        "prompt_tokens": (answer.prompt_tokens or 0) if answer else 0,
        "completion_tokens": (answer.completion_tokens or 0) if answer else 0,
        "cost_usd": str(outcome.cost.usd),
        "latency_ms": outcome.seconds * 1000,
    }
