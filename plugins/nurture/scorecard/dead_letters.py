"""The page of dead letters: what could not be used, why, what to do, and what to paste to have it tried again."""

import json
from collections.abc import Sequence
from typing import Any, Literal

import psycopg
from psycopg.rows import dict_row

from nurture.dead_letters.form import GIVE_UP, RETRY
from nurture.dead_letters.sources import RETRIED, SOURCES
from nurture.scorecard.pages import render
from nurture.warehouse.statements import statement

State = Literal["open", "given up", "resolved"]

IDS_TO_PASTE = 200  # as many as the page shows


def dead_letters_page(
    connection: psycopg.Connection, *, source: str | None, state: State, dag_id: str | None, run_id: str | None
) -> str:
    """The page as HTML. Keys, reasons and times, never payloads: those may hold somebody's name.

    Args:
        source: one source, or None for all.
        dag_id: with `run_id`: only what this run met last.
    """
    with connection.cursor(row_factory=dict_row) as cursor:
        counts = cursor.execute(statement("scorecard/dead_letter_sources.sql")).fetchall()
        asked = {"source": source, "state": state, "dag_id": dag_id, "run_id": run_id}
        letters = cursor.execute(statement("scorecard/dead_letters.sql"), asked).fetchall()
    groups = [
        {"name": name, "about": SOURCES.get(name), "letters": some, "params": paste(name, some)}
        for name in _in_order({row["source"] for row in letters})
        if (some := [row for row in letters if row["source"] == name])
    ]
    order = _in_order({row["source"] for row in counts})
    counts.sort(key=lambda row: order.index(row["source"]))
    return render("dead_letters", counts=counts, groups=groups, known=SOURCES, **asked)


def paste(source: str, letters: Sequence[dict[str, Any]]) -> str:
    """The Params of `retry_dead_letters` for these letters, as JSON: to give them up, where nothing is tried again."""
    action = RETRY if source in RETRIED else GIVE_UP
    ids = sorted(letter["dead_letter_id"] for letter in letters)[:IDS_TO_PASTE]
    return json.dumps({"action": action, "source": source, "ids": ids, "note": "why"})


def _in_order(names: set[str]) -> list[str]:
    """As `SOURCES` has them, then what it does not know."""
    return [*(name for name in SOURCES if name in names), *sorted(names - SOURCES.keys())]
