"""What a person asked for in the form of `retry_dead_letters`, read strictly."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nurture.dead_letters.letters import Choice
from nurture.dead_letters.sources import SOURCES
from nurture.errors import TerminalError

EVERY_SOURCE = "all"
RETRY, GIVE_UP = "retry", "give up"
ACTIONS = (RETRY, GIVE_UP)
LIMIT, LARGEST_LIMIT = 100, 10_000


@dataclass(frozen=True)
class Wish:
    """`action` with the letters of `choice`, for the reason `note`."""

    action: str
    choice: Choice
    note: str | None


def read_wish(params: Mapping[str, Any]) -> Wish:
    """The run's Params. The REST API holds them against their schema; a run made otherwise may not have been.

    Raises:
        TerminalError: one of them has no valid value, or letters are given up without naming them and saying why.
    """
    action, source, ids, note = (params.get(name) for name in ("action", "source", "ids", "note"))
    if action not in ACTIONS:
        raise TerminalError(f"action: found {action!r}; expected one of {', '.join(ACTIONS)}")
    if source != EVERY_SOURCE and source not in SOURCES:
        raise TerminalError(f"source: found {source!r}; expected one of {EVERY_SOURCE}, {', '.join(SOURCES)}")
    if not isinstance(ids or [], list) or not all(type(one) is int for one in ids or []):
        raise TerminalError("ids: expected a list of whole numbers, the ids on the page of dead letters, e.g. [12, 13]")
    if action == GIVE_UP and not (ids and note):
        raise TerminalError("to give letters up, name them in `ids` and say why in `note`; both are kept with them")
    choice = Choice(
        source=None if source == EVERY_SOURCE else source,
        ids=tuple(ids or ()),
        older_than_days=_whole(params, "older_than_days", 0, 36_500),
        reason_contains=params.get("reason_contains") or None,
        limit=_whole(params, "limit", 1, LARGEST_LIMIT) or LIMIT,
    )
    return Wish(action, choice, note or None)


def _whole(params: Mapping[str, Any], name: str, least: int, most: int) -> int | None:
    value = params.get(name)
    if value is not None and (type(value) is not int or not least <= value <= most):
        raise TerminalError(f"{name}: found {value!r}; expected a whole number from {least} to {most}, or nothing")
    return value
