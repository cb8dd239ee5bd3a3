"""What a reviewer sees of flagged copy, and what is kept of the decisions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import class_row

from nurture.copywriting.decisions import Decision
from nurture.copywriting.literal_markdown import literal
from nurture.copywriting.pieces import Piece
from nurture.copywriting.shapes import MESSAGE_PARTS
from nurture.warehouse.statements import statement


@dataclass(frozen=True)
class FlaggedPiece:
    """One distinct piece of copy in the approval lane, and for how many people.

    Attributes:
        message_id: of one of the messages that it would be.
        template: `id@version`.
        facts: those that it cites, each with `id` and `text`.
    """

    copy_id: str
    message_id: str
    template: str
    output: dict[str, Any]
    reasons: list[Any]
    facts: list[dict[str, str | None]]
    people: int

    @property
    def texts(self) -> dict[str, str]:
        return in_order(Piece.from_stored(self.output).texts)


def in_order(texts: Mapping[str, str]) -> dict[str, str]:
    """Texts by name as a reader meets them: the store does not keep their order."""
    first = [name for name in MESSAGE_PARTS if name in texts]
    return {name: texts[name] for name in [*first, *sorted(set(texts) - set(first))]}


def flagged_pieces(connection: psycopg.Connection, *, campaign: str, day: str) -> list[FlaggedPiece]:
    """The pieces of one campaign's night that nobody decided on yet, most people first."""
    with connection.cursor(row_factory=class_row(FlaggedPiece)) as cursor:
        return cursor.execute(statement("copy/flagged_pieces.sql"), {"campaign": campaign, "day": day}).fetchall()


def review_table(pieces: Sequence[FlaggedPiece], *, pages_url: str) -> str:
    """Markdown for the approval screen; whatever a model wrote is shown as plain text.

    Args:
        pages_url: where Nurture's pages are; each piece has a link to its own.
    """
    rows = ["| piece | people | copy | why flagged | facts cited | audit |", "|---|---|---|---|---|---|"]
    for number, piece in enumerate(pieces, start=1):
        copy = " ".join(f"**{literal(name)}** {literal(text)}" for name, text in piece.texts.items())
        reasons = "; ".join(literal(_say(reason)) for reason in piece.reasons)
        facts = "; ".join(
            f"**{literal(fact['id'] or '')}** {literal(fact['text'] or 'not in ops.fact')}" for fact in piece.facts
        )
        link = f"[{piece.copy_id[:8]}]({pages_url}/message?message_id={piece.message_id})"
        rows.append(f"| {number} | {piece.people} | {copy} | {reasons} | {facts} | {link} |")
    return "\n".join(rows)


def record_decisions(
    connection: psycopg.Connection,
    decisions: Sequence[Decision],
    *,
    campaign: str,
    day: str,
    reviewer: str | None,
    note: str | None,
    decided_at: datetime,
    run_id: str,
) -> None:
    """Keep what was decided on each piece."""
    connection.execute(
        statement("copy/record_decisions.sql"),
        {
            "campaign": campaign, "day": day, "reviewer": reviewer, "note": note, "decided_at": decided_at, "run_id": run_id,
            "copy_ids": [decision.copy_id for decision in decisions],
            "decisions": [decision.outcome for decision in decisions],
            "reasons": [decision.reason for decision in decisions],
            "edited_copy_ids": [decision.edited_copy_id for decision in decisions],
        },
    )  # fmt: skip


def _say(reason: Any) -> str:
    """One guardrail's verdict in words: stored as text or as an object with a name and a reason."""
    if isinstance(reason, dict):
        return ": ".join(str(value) for value in reason.values())
    return str(reason)
