"""What a reviewer sees of flagged copy, and what is kept of the decision."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import class_row


@dataclass(frozen=True)
class FlaggedPiece:
    """One distinct piece of copy in the approval lane, and for how many people."""

    copy_id: str
    headline: str
    body: str
    cta: str
    reasons: list[Any]
    facts: list[str]
    people: int


def flagged_pieces(connection: psycopg.Connection, *, campaign: str, day: str) -> list[FlaggedPiece]:
    """The pieces of one campaign's night that nobody decided on yet, most people first."""
    with connection.cursor(row_factory=class_row(FlaggedPiece)) as cursor:
        return cursor.execute(
            """
            SELECT copy.copy_id, copy.output ->> 'headline' AS headline, copy.output ->> 'body' AS body,
                   copy.output ->> 'cta' AS cta, copy.reasons,
                   coalesce((SELECT array_agg(source.fact_id ORDER BY source.fact_id) FROM ops.copy_source AS source
                             WHERE source.copy_id = copy.copy_id), '{}') AS facts,
                   count(*)::int AS people
            FROM ops.message AS message JOIN ops.copy AS copy USING (copy_id)
            WHERE message.campaign = %(campaign)s AND message.day = %(day)s::date AND message.lane = 'approval'
              AND NOT EXISTS (SELECT FROM ops.approval AS approval WHERE approval.campaign = message.campaign
                              AND approval.day = message.day AND approval.copy_id = message.copy_id
                              AND approval.decision <> 'timed_out')
            GROUP BY copy.copy_id
            ORDER BY people DESC, copy.copy_id
            """,
            {"campaign": campaign, "day": day},
        ).fetchall()


def review_table(pieces: Sequence[FlaggedPiece]) -> str:
    """Markdown for the approval screen; whatever a model wrote is shown as plain text."""
    rows = ["| people | copy | why flagged | facts cited | id |", "|---|---|---|---|---|"]
    for piece in pieces:
        copy = f"**{_plain(piece.headline)}** {_plain(piece.body)} **{_plain(piece.cta)}**"
        reasons = "; ".join(_plain(_say(reason)) for reason in piece.reasons)
        rows.append(f"| {piece.people} | {copy} | {reasons} | {_plain(', '.join(piece.facts))} | {piece.copy_id[:12]} |")
    return "\n".join(rows)


def record_decision(
    connection: psycopg.Connection,
    *,
    campaign: str,
    day: str,
    copy_ids: Sequence[str],
    decision: str,
    reviewer: str | None,
    note: str | None,
    decided_at: datetime,
    run_id: str,
) -> None:
    """Keep one decision for each piece that was shown. `decision`: approved, rejected or timed_out."""
    connection.execute(
        """
        INSERT INTO ops.approval (campaign, day, copy_id, decision, reviewer, note, decided_at, run_id)
        SELECT %(campaign)s, %(day)s::date, shown.copy_id, %(decision)s, %(reviewer)s, %(note)s, %(decided_at)s, %(run_id)s
        FROM unnest(%(copy_ids)s::text[]) AS shown (copy_id)
        ON CONFLICT (campaign, day, copy_id) DO UPDATE SET
            decision = excluded.decision, reviewer = excluded.reviewer, note = excluded.note,
            decided_at = excluded.decided_at, run_id = excluded.run_id
        """,
        {"campaign": campaign, "day": day, "copy_ids": list(copy_ids), "decision": decision, "reviewer": reviewer,
         "note": note, "decided_at": decided_at, "run_id": run_id},
    )  # fmt: skip


def _say(reason: Any) -> str:
    """One guardrail's verdict in words: stored as text or as an object with a name and a reason."""
    if isinstance(reason, dict):
        return ": ".join(str(value) for value in reason.values())
    return str(reason)


def _plain(text: str) -> str:
    """`text` with everything that Markdown or HTML would act on made literal, on one line."""
    one_line = " ".join(str(text).split())
    escaped = one_line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_{}\[\]()#+!|~-])", r"\\\1", escaped)
