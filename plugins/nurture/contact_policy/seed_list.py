"""Test sends go to the seed list, under a name of their own: a test uses up nobody's slot and touches no night."""

from collections.abc import Callable, Mapping
from typing import Any

from nurture.errors import TerminalError

AUDIENCES = EVERYONE, SEED_LIST = "everyone", "seed_list"
"""Values of the Param `audience` of a campaign's DAG."""
MARK = "~seed"
"""Ends the campaign's name in the warehouse, wherever a test send is kept: audience, messages, ledger, approvals."""


def is_for_seed_list(params: Mapping[str, Any]) -> bool:
    """Whether the run with these Params is a test send.

    Raises:
        TerminalError: the Param says something else than the two words; nobody is to be written to by mistake.
    """
    asked = params.get("audience", EVERYONE)
    if asked not in AUDIENCES:
        raise TerminalError(
            f"audience: found {asked!r}, expected {' or '.join(AUDIENCES)}; start the run again with one of them"
        )
    return bool(asked == SEED_LIST)


def is_test_send(campaign: str) -> bool:
    """Whether the night kept under this name is a test send."""
    return campaign.endswith(MARK)


def campaign_of(name: str) -> str:
    """The campaign of a night's name."""
    return name.removesuffix(MARK)


def macros(campaign: str, *, ai_share: float, static_share: float) -> dict[str, Callable[[Mapping[str, Any]], str]]:
    """What the fields of a campaign's tasks are made of, given the run's Params: no text of theirs gets into a field.

    On the seed list everybody gets model copy: a test is no part of the experiment, and nobody on it is held out.
    """
    return {
        "night_name": lambda params: campaign + MARK if is_for_seed_list(params) else campaign,
        "ai_share": lambda params: "1" if is_for_seed_list(params) else str(ai_share),
        "static_share": lambda params: "0" if is_for_seed_list(params) else str(static_share),
        "is_rehearsal": lambda params: str(bool(params.get("dry_run"))).lower(),
    }
