"""A reviewer's edit of a flagged piece: read and judged like a model's answer, and kept as a piece of its own."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from nurture.copywriting.decisions import Decision, Shown
from nurture.copywriting.facts import Fact
from nurture.copywriting.guardrails import judge
from nurture.copywriting.pieces import BadAnswer, Piece, read_piece, sha256, storable
from nurture.copywriting.requests import CopyRequest
from nurture.copywriting.review import FlaggedPiece, in_order
from nurture.copywriting.sentences import spans
from nurture.copywriting.templates import load_template, text_hash
from nurture.copywriting.vocabulary import load_vocabulary
from nurture.errors import ConfigError
from nurture.warehouse.statements import statement


def shown(piece: FlaggedPiece) -> Shown:
    """A piece as the form shows it: where its template cites by sentence, with the citations in brackets."""
    return Shown(piece.copy_id, _form_texts(piece.output, piece.template))


def shown_again(connection: psycopg.Connection, copy_id: str, day: str) -> Shown | None:
    """The piece as the form showed it; None when its bytes were changed since."""
    row = _piece_to_edit(connection, copy_id, day)
    if row is None or not row["is_intact"]:
        return None
    return Shown(copy_id, _form_texts(row["output"], row["template"]))


def keep_edit(connection: psycopg.Connection, decision: Decision, *, editor: str | None, day: str) -> Decision:
    """Judge and store what the reviewer wrote; what the guardrails reject is not sent.

    Args:
        editor: who wrote it.
        day: the night's, ISO; facts must hold today, or on that day where the data is ahead of the clock.
    """
    row = _piece_to_edit(connection, decision.copy_id, day)
    if row is None or decision.texts is None:
        return decision.refused("there is nothing to edit")
    try:
        request = _request(row, day)
        answer: dict[str, Any] = dict(_parts(decision.texts))
        if request.template.citations == "list":
            answer["cited_fact_ids"] = row["output"]["cited_fact_ids"]
        piece = read_piece(json.dumps(answer), request.template)
    except (BadAnswer, ConfigError) as error:
        return decision.refused(f"the edit cannot be used: {error}")
    verdict, output = judge(piece, request.terms), storable(piece.stored())
    request_hash = sha256({"edited_from": decision.copy_id, "output": output})
    copy_id = sha256({"request_hash": request_hash, "output": output})
    cited = [fact for fact in request.facts if fact.id in piece.cited_fact_ids]
    connection.execute(
        statement("copy/keep_edit.sql"),
        {
            "edited_from": decision.copy_id, "copy_id": copy_id, "request_hash": request_hash, "output": Jsonb(output),
            "verdict": verdict.outcome, "reasons": Jsonb(storable(list(verdict.reasons))), "confidence": verdict.confidence,
            "edited_by": editor, "cited_ids": [fact.id for fact in cited],
            "cited_versions": [fact.version for fact in cited], "cited_sources": [fact.source for fact in cited],
        },
    )  # fmt: skip
    if verdict.outcome == "rejected":
        why = "; ".join(f"{reason['name']}: {reason['found']}" for reason in verdict.reasons)
        return decision.refused(f"the guardrails reject the edit: {why}", edited_copy_id=copy_id)
    return replace(decision, texts=None, edited_copy_id=copy_id)


def _piece_to_edit(connection: psycopg.Connection, copy_id: str, day: str) -> dict[str, Any] | None:
    with connection.cursor(row_factory=dict_row) as cursor:
        values = {"copy_id": copy_id, "today": _facts_day(day)}
        return cursor.execute(statement("copy/piece_to_edit.sql"), values).fetchone()


def _facts_day(day: str) -> date:
    return max(datetime.now(UTC).date(), date.fromisoformat(day))


def _request(row: Mapping[str, Any], day: str) -> CopyRequest:
    """What was asked for, with the facts as they stand today.

    Raises:
        ConfigError: the template is not what it was when it was released.
    """
    template = load_template(row["template"])
    facts = tuple(
        Fact(id=fact["fact_id"], **{name: fact[name] for name in Fact.model_fields if name in fact}) for fact in row["facts"]
    )
    return CopyRequest(
        template, text_hash(row["template"]), row["context"], facts, row["model"], load_vocabulary(), _facts_day(day)
    )


def _parts(texts: Mapping[str, str]) -> dict[str, Any]:
    """Texts by name as the answer's parts: `lines.1` and `lines.2` are the list `lines`."""
    parts: dict[str, Any] = {}
    for name, text in texts.items():
        part, _, number = name.partition(".")
        if number:
            parts.setdefault(part, []).append(text)
        else:
            parts[part] = text
    return parts


def _form_texts(output: Mapping[str, Any], reference: str) -> dict[str, str]:
    piece = Piece.from_stored(output)
    try:
        is_marked = load_template(reference).citations == "sentence"
    except ConfigError:  # it can be approved or rejected; an edit will say what is wrong
        is_marked = False
    return {name: with_markers(piece, name, text) if is_marked else text for name, text in in_order(piece.texts).items()}


def with_markers(piece: Piece, name: str, text: str) -> str:
    """Text `name` of a piece with its citations after the sentences, as its writer wrote it."""
    marked, rest = "", 0
    for start, end in spans(text):
        ids = piece.facts_of(name, text[start:end])
        marked += text[rest:end] + (f" [{', '.join(ids)}]" if ids else "")
        rest = end
    return marked + text[rest:]
