"""Dead letters chosen by a run of `retry_dead_letters`, and what came of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import psycopg
from psycopg.rows import class_row

from nurture.dead_letters.sources import RETRIED
from nurture.warehouse.statements import statement

Outcome = Literal["mended", "settled", "waiting", "refused", "not_retried", "given_up"]


class Answer(NamedTuple):
    """What came of one letter, and why in words, without personal data. See `ops.dead_letter_retry.outcome`."""

    outcome: Outcome
    words: str


Answers = Mapping[int, Answer]
"""By dead letter id."""


@dataclass(frozen=True)
class Letter:
    """One open dead letter, without its payload."""

    dead_letter_id: int
    source: str
    key: str
    field: str | None
    reason: str


@dataclass(frozen=True)
class Choice:
    """Which letters a person wants: all conditions hold together.

    Attributes:
        source: one source; none, without ids: every source of which letters can be tried again.
        ids: these only, given-up ones too; none: all that nobody gave up.
        older_than_days: not met since so many days.
        reason_contains: plain text, no pattern; capitals do not matter.
        limit: at most so many: those never tried yet, the oldest first, then those whose last try is longest ago.
    """

    source: str | None = None
    ids: Sequence[int] = ()
    older_than_days: int | None = None
    reason_contains: str | None = None
    limit: int = 100


@dataclass(frozen=True)
class Asking:
    """On whose behalf, and in which run, letters are tried again."""

    dag_id: str
    run_id: str
    asked_by: str
    note: str | None = None


def choose(connection: psycopg.Connection, asking: Asking, choice: Choice) -> list[Letter]:
    """Note which letters the run is about, and return those that it has no answer for yet.

    A run chooses once: its second attempt goes on with what the first one chose. Commits.
    """
    run = {"dag_id": asking.dag_id, "run_id": asking.run_id}
    sources = [choice.source] if choice.source else None if choice.ids else RETRIED
    connection.execute(
        statement("dead_letter/choose.sql"),
        run | {
            "asked_by": asking.asked_by, "note": asking.note, "sources": sources, "ids": list(choice.ids) or None,
            "older_than_days": choice.older_than_days, "reason_contains": choice.reason_contains, "limit": choice.limit,
        },
    )  # fmt: skip
    connection.commit()
    with connection.cursor(row_factory=class_row(Letter)) as cursor:
        letters = cursor.execute(statement("dead_letter/unanswered.sql"), run).fetchall()
    connection.commit()
    return letters


def keep_answers(connection: psycopg.Connection, asking: Asking, answers: Answers) -> None:
    """Note what came of letters; mended and settled ones are resolved, given-up ones say who and why. Commits."""
    connection.execute(
        statement("dead_letter/answer.sql"),
        {
            "dag_id": asking.dag_id, "run_id": asking.run_id, "asked_by": asking.asked_by, "note": asking.note,
            "ids": list(answers), "outcomes": [answer.outcome for answer in answers.values()],
            "words": [answer.words for answer in answers.values()],
        },
    )  # fmt: skip
    connection.commit()


def settle(connection: psycopg.Connection) -> int:
    """Resolve letters that need nobody any more, whoever saw to it: the message was settled, the person merged or erased.

    Returns how many. Commits nothing.
    """
    return connection.execute(statement("dead_letter/settle.sql")).rowcount
