"""Finished copy, kept under the hash of what was asked: the same inputs give the same bytes for ever, and cost nothing."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from nurture.copywriting.guardrails import Outcome, Verdict
from nurture.copywriting.pieces import sha256, storable
from nurture.copywriting.requests import CopyRequest
from nurture.warehouse.statements import statement


@dataclass(frozen=True)
class StoredCopy:
    """One row of `ops.copy`, as far as it decides what happens next."""

    copy_id: str
    request_hash: str
    output: dict[str, Any]
    verdict: Outcome
    reasons: list[dict[str, Any]]


@dataclass(frozen=True)
class Run:
    """Whose work it is: every row that is written says so."""

    dag_id: str
    run_id: str
    campaign: str


class Kept(NamedTuple):
    """One piece to be stored. `parameters`: as the vendor took them; None: as the request has them."""

    request: CopyRequest
    output: dict[str, Any]
    verdict: Verdict
    parameters: dict[str, Any] | None = None


def find(connection: psycopg.Connection, requests: Iterable[CopyRequest]) -> dict[str, StoredCopy]:
    """What the store already has, by request hash, in one query."""
    hashes = [request.request_hash for request in requests]
    query = "SELECT copy_id, request_hash, output, verdict, reasons FROM ops.copy WHERE request_hash = ANY(%(hashes)s)"
    return _stored(connection, query.encode(), {"hashes": hashes})


def keep(connection: psycopg.Connection, run: Run, written: Iterable[Kept]) -> dict[str, StoredCopy]:
    """Store pieces with the sources that they cite. Whoever stored an answer to the same request first, wins."""
    pieces = {one.request.request_hash: one for one in written}
    if not pieces:
        return {}
    rows = Jsonb([_row(run, one) for one in pieces.values()])
    kept = _stored(connection, statement("copy/keep.sql"), {"pieces": rows})
    late = [one.request for request_hash, one in pieces.items() if request_hash not in kept]
    return kept | find(connection, late) if late else kept


def rejudge(connection: psycopg.Connection, copy: StoredCopy, verdict: Verdict) -> StoredCopy:
    """Note what today's guardrails say of a stored piece. What was said before stays in `ops.copy_verdict`."""
    judged = replace(copy, verdict=verdict.outcome, reasons=storable(list(verdict.reasons)))
    if judged != copy:
        connection.execute(
            "UPDATE ops.copy SET verdict = %s, reasons = %s, confidence = %s WHERE copy_id = %s",
            (judged.verdict, Jsonb(judged.reasons), verdict.confidence, copy.copy_id),
        )
    return judged


def _row(run: Run, kept: Kept) -> dict[str, Any]:
    request, verdict = kept.request, kept.verdict
    output = storable(kept.output)
    cited = [fact for fact in request.facts if fact.id in output.get("cited_fact_ids", [])]
    return {
        "copy_id": sha256({"request_hash": request.request_hash, "output": output}),
        "request_hash": request.request_hash,
        "campaign": run.campaign,
        "template_id": request.template.id,
        "template_version": request.template.version,
        "origin": request.template.kind,
        "model": request.model,
        "parameters": request.parameters if kept.parameters is None else kept.parameters,
        "context": request.context,
        "fact_ids": [fact.id for fact in request.facts],
        "output": output,
        "verdict": verdict.outcome,
        "reasons": storable(list(verdict.reasons)),
        "confidence": verdict.confidence,
        "cited": [{"fact_id": fact.id, "fact_version": fact.version, "source": fact.source} for fact in cited],
    }


def _stored(connection: psycopg.Connection, query: bytes, values: dict[str, Any]) -> dict[str, StoredCopy]:
    with connection.cursor(row_factory=class_row(StoredCopy)) as cursor:
        return {row.request_hash: row for row in cursor.execute(query, values)}
