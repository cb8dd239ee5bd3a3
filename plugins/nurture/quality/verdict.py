"""What a gate found, check by check."""

import re
from dataclasses import dataclass
from typing import Literal

from nurture.errors import NurtureError

Status = Literal["pass", "fail", "warn", "error"]


class GateBroken(NurtureError):
    """A check could not be evaluated: nothing is known, so the night may not go on."""


@dataclass(frozen=True)
class CheckResult:
    """One check of one gate in one run, as kept in `ops.gate_result`.

    Attributes:
        observed: the figure; None when it was not judged.
        detail: one sentence a person can act on; no personal data.
        sample_keys: at most 20 offending keys, ids only.
    """

    check_name: str
    table_name: str
    severity: str
    status: Status
    observed: float | None
    threshold: float
    unit: str
    detail: str
    sample_keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """What one gate found in one run."""

    gate: str
    results: tuple[CheckResult, ...]

    @property
    def failed(self) -> list[CheckResult]:
        return [result for result in self.results if result.status in ("fail", "error")]

    @property
    def is_passed(self) -> bool:
        return not self.failed

    def counts(self) -> dict[str, int]:
        """How many checks ended how, by status."""
        statuses = [result.status for result in self.results]
        return {status: statuses.count(status) for status in ("pass", "warn", "fail", "error")}


def figure(value: float | None, unit: str) -> str:
    """`value` for people: 5.25 %, 3 rows, or a dash."""
    if value is None:
        return "–"
    return f"{100 * value:.4g} %" if unit == "share" else f"{value:,.10g} {unit}"


def without_addresses(text: str) -> str:
    """`text` with whatever looks like an e-mail address hidden: event names and ids come from outside."""
    return re.sub(r"[^\s,;()]+@[^\s,;()]+", "(hidden)", text)
