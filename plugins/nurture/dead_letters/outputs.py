"""Dead letters of notes and tasks: each is tried once more through the push of its night, whose messages are confirmed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import psycopg
from psycopg.rows import class_row

from nurture.dead_letters.letters import Answer, Answers, Letter
from nurture.dead_letters.messages import PushChosen
from nurture.errors import OutcomeUnknown, TerminalError, TransientError
from nurture.ledger.output_rows import SETTLED
from nurture.warehouse.statements import statement

ANY_LANE = "ready"  # outputs are written for the night's confirmed messages of either lane


@dataclass(frozen=True)
class OutputStanding:
    """Where a letter's note or task stands; `state` is None when the ledger has none."""

    dead_letter_id: int
    campaign: str
    person_id: str
    state: str | None
    reason: str | None
    attempts: int
    day: str | None


def write_again(connection: psycopg.Connection, letters: Sequence[Letter], push: PushChosen) -> Iterator[Answers]:
    """What came of `letters`, night by night. A night that cannot be pushed does not keep the others back."""
    before = _standings(connection, [letter.dead_letter_id for letter in letters])
    answers = {one.dead_letter_id: _why_not(one) for one in before}
    yield {dead_letter_id: answer for dead_letter_id, answer in answers.items() if answer}
    ready = sorted((one for one in before if not answers[one.dead_letter_id]), key=lambda one: (one.campaign, one.day or ""))
    for (campaign, day), group in groupby(ready, key=lambda one: (one.campaign, one.day or "")):
        tried = {one.dead_letter_id: one for one in group}
        problem = None
        try:
            push((campaign, day, ANY_LANE), sorted({one.person_id for one in tried.values()}))
        except (TransientError, TerminalError, OutcomeUnknown) as error:
            problem = str(error)
        yield {
            one.dead_letter_id: _came_of(tried[one.dead_letter_id], one, problem)
            for one in _standings(connection, list(tried))
        }


def _standings(connection: psycopg.Connection, dead_letter_ids: Sequence[int]) -> list[OutputStanding]:
    with connection.cursor(row_factory=class_row(OutputStanding)) as cursor:
        found = cursor.execute(statement("dead_letter/output_standing.sql"), {"ids": list(dead_letter_ids)}).fetchall()
    connection.commit()
    return found


def _why_not(standing: OutputStanding) -> Answer | None:
    """Why it is not tried again, or None."""
    if standing.state is None:
        return Answer("not_retried", "the message is not in the ledger any more. Give it up.")
    if standing.state in SETTLED:
        return Answer("settled", f"{standing.state}: {standing.reason}")
    return None


def _came_of(before: OutputStanding, after: OutputStanding, problem: str | None) -> Answer:
    if after.state == "confirmed":
        return Answer("mended", str(after.reason))
    if after.state in SETTLED:
        return Answer("settled", f"{after.state}: {after.reason}")
    if problem:
        return Answer("refused", problem)
    if after.attempts > before.attempts:
        return Answer("refused", str(after.reason))
    return Answer(
        "refused",
        "not claimed: the message is older than the campaign's freshness, the campaign does not choose this output any "
        "more, or another push holds it. Try again when that push has ended, or give it up.",
    )
