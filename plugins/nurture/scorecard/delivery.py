"""Whether a night reached the people whom it wrote for."""

from typing import Any

UNDELIVERED = ("rejected", "unknown", "waiting")
"""States of a message that nobody received; `suppressed` and `superseded` are right outcomes."""
UNDECIDED = "waiting for a person"


def undelivered_reason(report: dict[str, Any], *, share_max: float, count_min: int) -> str | None:
    """Why a campaign's night counts as failed although every step ran, or None.

    Args:
        report: as `night_report` returns it.
        share_max: the largest share of undelivered messages among those that could be delivered by now.
        count_min: with fewer undelivered than this many, a night that reached anybody is no failure: in a small one a single
            refused contact would be a large share.
    """
    states: dict[str, int] = report.get("push", {}).get("messages", {})
    decided = sum(count for state, count in states.items() if state != UNDECIDED)
    undelivered = {state: states[state] for state in UNDELIVERED if states.get(state)}
    total = sum(undelivered.values())
    if total <= share_max * decided or (total < count_min and total < decided):
        return None
    counts = ", ".join(f"{count} {state}" for state, count in undelivered.items())
    return (
        f"{total} of {decided} messages were not delivered ({total / decided:.1%}, expected at most {share_max:.1%}): "
        f"{counts}. See ops.dead_letter and ops.push_ledger for the reasons, mend them, then clear push_ready and "
        "push_approved of this run with what follows: only these messages are tried again."
    )
