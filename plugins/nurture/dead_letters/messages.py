"""Dead letters of the push: each is pushed once more for its own day and lane, by the push of any night."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

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


@dataclass(frozen=True)
class Standing:
    """Where a letter's message stands; `state` is None when the ledger has none, `lane` when its night has none."""

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


def push_again(connection: psycopg.Connection, letters: Sequence[Letter], push: PushChosen) -> Iterator[Answers]:
    """What came of `letters`, night by night. A night that cannot be pushed does not keep the others back."""
    before = standings(connection, [letter.dead_letter_id for letter in letters])
    answers = {one.dead_letter_id: why_not(one) for one in before}
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
            one.dead_letter_id: _came_of(tried[one.dead_letter_id], one, problem)
            for one in standings(connection, list(tried))
        }


def standings(connection: psycopg.Connection, dead_letter_ids: Sequence[int]) -> list[Standing]:
    """Where messages stand now, by dead letter id."""
    with connection.cursor(row_factory=class_row(Standing)) as cursor:
        found = cursor.execute(statement("dead_letter/push_standing.sql"), {"ids": list(dead_letter_ids)}).fetchall()
    connection.commit()
    return found


def why_not(standing: Standing) -> Answer | None:
    """Why a message is not pushed again, or None."""
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


def _came_of(before: Standing, after: Standing, problem: str | None) -> Answer:
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
    return Answer(
        "refused",
        "not claimed: another push holds the message, or one to another contact of the same human is under way; "
        "try this letter again when it has ended",
    )
