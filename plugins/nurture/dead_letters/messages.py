"""Dead letters of the push, of messages, notes and tasks: each is tried once more by the push of its own night."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

import psycopg
from psycopg.rows import class_row

from nurture.dead_letters.letters import Answer, Answers, Letter
from nurture.errors import OutcomeUnknown, TerminalError, TransientError
from nurture.ledger.attempt import SETTLED
from nurture.warehouse.statements import statement

Night = tuple[str, str, str]
"""Campaign, day (ISO) and lane."""

PushChosen = Callable[[Night, Sequence[str]], None]
"""Push what a night has for some persons (ids), and nothing else of it; raises what `Push.run` raises."""


class Written(NamedTuple):
    """What a letter is about: the statement that says where it stands, and why a push may leave it alone."""

    standing: str
    not_claimed: str


MESSAGE = Written(
    "dead_letter/push_standing.sql",
    "not claimed: another push holds the message, or one to another contact of the same human is under way; "
    "try this letter again when it has ended",
)
OUTPUT = Written(
    "dead_letter/output_standing.sql",
    "not claimed: the message is older than the campaign's freshness, the campaign does not choose this output any "
    "more, or another push holds it. Try again when that push has ended, or give it up.",
)


@dataclass(frozen=True)
class Standing:
    """Where it stands; `state` is None when the ledger has none, `lane` when its night has none."""

    dead_letter_id: int
    campaign: str
    person_id: str
    state: str | None
    reason: str | None
    attempts: int
    day: str | None
    lane: str | None
    is_undecided: bool | None
    stopped: str | None

    @property
    def night(self) -> Night:
        return self.campaign, self.day or "", self.lane or ""


def push_again(
    connection: psycopg.Connection, written: Written, letters: Sequence[Letter], push: PushChosen
) -> Iterator[Answers]:
    """What came of `letters`, night by night. A night that cannot be pushed does not keep the others back."""
    before = _standings(connection, written, [letter.dead_letter_id for letter in letters])
    answers = {one.dead_letter_id: _why_not(one) for one in before}
    yield {dead_letter_id: answer for dead_letter_id, answer in answers.items() if answer}
    ready = sorted((one for one in before if not answers[one.dead_letter_id]), key=lambda one: one.night)
    for night, group in groupby(ready, key=lambda one: one.night):
        tried = {one.dead_letter_id: one for one in group}
        problem = None
        try:
            push(night, sorted({one.person_id for one in tried.values()}))
        except (TransientError, TerminalError, OutcomeUnknown) as error:
            problem = str(error)
        yield {
            one.dead_letter_id: _came_of(written, tried[one.dead_letter_id], one, problem)
            for one in _standings(connection, written, list(tried))
        }


def _standings(connection: psycopg.Connection, written: Written, dead_letter_ids: Sequence[int]) -> list[Standing]:
    with connection.cursor(row_factory=class_row(Standing)) as cursor:
        found = cursor.execute(statement(written.standing), {"ids": list(dead_letter_ids)}).fetchall()
    connection.commit()
    return found


def _why_not(standing: Standing) -> Answer | None:
    """Why it is not pushed again, or None."""
    if standing.state is None:
        return Answer("not_retried", "the ledger has no such row any more, so nothing is written. Give it up.")
    if standing.state in SETTLED:
        return Answer("settled", f"{standing.state}: {standing.reason}")
    if standing.lane is None:
        return Answer(
            "not_retried",
            f"the night of {standing.day} was run again and has no message for the person any more: who qualifies still "
            "gets the next one. Give it up.",
        )
    if standing.is_undecided:
        return Answer(
            "not_retried",
            f"the night of {standing.day} waits for a person's decision on the piece; push_approved takes the message "
            "along once it is answered.",
        )
    if standing.stopped:
        return Answer(
            "not_retried",
            f"a gate stopped the day {standing.day}: {standing.stopped} Mend the data, run customer_data of that day "
            "again, then try this letter again.",
        )
    return None


def _came_of(written: Written, before: Standing, after: Standing, problem: str | None) -> Answer:
    if after.state == "confirmed":
        return Answer("mended", str(after.reason))
    if after.state in SETTLED:
        return Answer("settled", f"{after.state}: {after.reason}")
    if after.state == "unknown":
        return Answer("refused", f"{after.reason}; never sent again before it was read back: try this letter again later")
    if problem:
        return Answer("refused", problem)
    if after.attempts > before.attempts:
        return Answer("refused", str(after.reason))
    return Answer("refused", written.not_claimed)
