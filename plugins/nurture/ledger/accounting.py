"""Where everyone stands: audience = confirmed + suppressed + rejected + unknown + waiting + superseded + holdout."""

from dataclasses import dataclass, field
from typing import Any

import psycopg

from nurture.warehouse.statements import statement

IDS_SHOWN = 5


@dataclass
class Account:
    """Messages of one campaign's night by state; `reasons` splits each state by its reason in words.

    Attributes:
        outputs: of each further output (note, task) that was made for any confirmed message: confirmed + suppressed +
            rejected + unknown + waiting + none (not claimed: done later while the message is fresh) = confirmed messages.
    """

    messages: int = 0
    states: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, dict[str, int]] = field(default_factory=dict)
    outputs: dict[str, dict[str, int]] = field(default_factory=dict)


def account(connection: psycopg.Connection, *, campaign: str, day: str) -> Account:
    """Count the night's messages. A slot that an earlier night confirmed counts as confirmed here too."""
    states = ("confirmed", "suppressed", "rejected", "unknown", "superseded", "waiting")
    total = Account(states=dict.fromkeys(states, 0), reasons={state: {} for state in states})
    for state, reason, messages in connection.execute(statement("ledger/account.sql"), {"campaign": campaign, "day": day}):
        total.messages += messages
        total.states[state] += messages
        total.reasons[state][reason] = messages
    for output, state, count in connection.execute(
        statement("ledger/output_account.sql"), {"campaign": campaign, "day": day}
    ):
        total.outputs.setdefault(output, {})[state] = count
    return total


@dataclass(frozen=True)
class Hole:
    """People of whom nobody can say where they stand. `what` completes "3 people …"; `person_ids`: at most 20 of them."""

    what: str
    people: int
    person_ids: tuple[str, ...]

    def __str__(self) -> str:
        more = ", …" if self.people > IDS_SHOWN else ""
        return f"{self.people} {self.what} ({', '.join(self.person_ids[:IDS_SHOWN])}{more})"


@dataclass(frozen=True)
class Equation:
    """Everyone of a campaign's night, by where they stand, and those of whom that cannot be said."""

    standings: dict[str, int]
    holes: tuple[Hole, ...]

    @property
    def people(self) -> int:
        return sum(self.standings.values()) + sum(hole.people for hole in self.holes)

    def as_report(self) -> dict[str, Any]:
        """Counts for the night's report, and ids for what does not add up."""
        holes = {hole.what: {"people": hole.people, "sample": list(hole.person_ids)} for hole in self.holes}
        return {"people": self.people, **self.standings} | ({"not_accounted_for": holes} if holes else {})

    def reason(self) -> str | None:
        """Why the night counts as failed, or None."""
        if not self.holes:
            return None
        lost = sum(hole.people for hole in self.holes)
        return (
            f"{lost} of {self.people} people are not accounted for: {'; '.join(map(str, self.holes))}. "
            "Expected: everyone of the audience held back, in the holdout, or with a message in a known state. "
            "Clear select_audience of this run with what follows, which makes the night anew and sends nothing twice; if "
            "another run of the same night was under way, clear report_run when it has ended."
        )


def balance(connection: psycopg.Connection, *, campaign: str, day: str) -> Equation:
    """Account for everyone of a night, person by person, from the audience to the ledger and back."""
    standings: dict[str, int] = {}
    holes: list[Hole] = []
    rows = connection.execute(statement("ledger/holes.sql"), {"campaign": campaign, "day": day})
    for hole, standing, people, person_ids in rows:
        if hole is None:
            standings[standing] = people
        else:
            holes.append(Hole(hole, people, tuple(person_ids)))
    return Equation(standings, tuple(holes))
