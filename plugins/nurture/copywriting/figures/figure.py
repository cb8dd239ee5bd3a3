"""What one figure is."""

from dataclasses import dataclass

Claim = tuple[str, str, str]


@dataclass(frozen=True)
class Figure:
    """One figure.

    Attributes:
        kind: number, date, link, word, or pace: a rate without a number ("overnight", "in a day", a weekday), which is an
            ordinary word in a sentence about the reader and a claim in one about us.
        value: canonical, e.g. `1000`, `1/2`, `2026-03-12`, `--03-12` (no year), `larkfield.example`, `free`.
        unit: `%`, `times`, an ISO currency, a unit of time, or nothing.
        qualifier: what hedges it: `up to`, `from`, `over`, `about`, `to`, or nothing.
        per: the unit of time that it is counted by, e.g. `month` in "$49 a month", or nothing.
        found: as it stands in the text.
    """

    kind: str
    value: str
    unit: str = ""
    qualifier: str = ""
    per: str = ""
    found: str = ""

    @property
    def claim(self) -> Claim:
        """What must be covered by a fact."""
        return self.kind, self.value, self.unit


MASK = "\ue000"
"""Stands where a figure was found already; `plain` leaves none in a text."""

Found = tuple[Figure, int, int]
"""A figure and where it stands."""
