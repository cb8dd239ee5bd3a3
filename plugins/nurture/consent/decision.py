"""A decision whether one person may be written to, with its basis: what `ops.consent_decision` keeps of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Decision:
    """One decision.

    Attributes:
        region: as the CRM had it at that moment; None where it does not say, or was not asked.
        rule: id of the rule that was applied; None where it did not come to that.
        basis: why it is allowed, or why not, in words.
    """

    is_allowed: bool
    region: str | None
    rule: str | None
    basis: str


def decision_parameters(decisions: Mapping[tuple[str, str], Decision]) -> dict[str, list[Any]]:
    """Decisions by person id and slot as arrays of one length, as ledger/move.sql binds them."""
    return {
        "decided_persons": [person_id for person_id, _ in decisions],
        "decided_slots": [slot for _, slot in decisions],
        "allowed": [decision.is_allowed for decision in decisions.values()],
        "regions": [decision.region for decision in decisions.values()],
        "rules": [decision.rule for decision in decisions.values()],
        "bases": [decision.basis for decision in decisions.values()],
    }
