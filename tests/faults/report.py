"""What came of many schedules, and how it is told."""

from collections import Counter
from dataclasses import dataclass, field

from tests.faults.verdict import Verdict

KINDS = {
    "twice": "messages that reached somebody twice",
    "lost": "people neither reached nor accounted for",
    "withdrawn": "messages written after a withdrawal that could be seen",
    "untrue": "rows where the ledger and the CRM differ",
}


@dataclass
class Report:
    """Counts over schedules.

    Attributes:
        failures: one line for each schedule after which something did not hold.
        happened: what went wrong on purpose, and how often.
        wrong: by kind, what did not hold.
    """

    schedules: int = 0
    failures: list[str] = field(default_factory=list)
    happened: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)

    def note(self, name: str, verdict: Verdict, happened: Counter[str]) -> None:
        """Add one schedule."""
        self.schedules += 1
        self.happened += happened
        if not verdict:
            self.failures.append(f"{name}: {verdict}")
            self.wrong += Counter({kind: len(getattr(verdict, kind)) for kind in KINDS})

    def add(self, other: "Report") -> None:
        self.schedules += other.schedules
        self.failures += other.failures
        self.happened += other.happened
        self.wrong += other.wrong

    def lines(self) -> list[str]:
        """For a person to read."""
        happened = [f"  {what}: {times}" for what, times in sorted(self.happened.items())]
        return [*self.failures[:20], *happened, *(f"{what}: {self.wrong[kind]}" for kind, what in KINDS.items())]
