"""What a person fills in to turn switches, checked before anything is turned."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nurture.copywriting.prices import load_prices
from nurture.copywriting.switch import AI_PERSONALIZATION, EVERY_CAMPAIGN, MODEL, TEMPLATE
from nurture.copywriting.templates import load_campaign_template, released
from nurture.errors import ConfigError, TerminalError
from nurture.policy import load_policy

UNCHANGED, OWN, ON, OFF = "unchanged", "own", "on", "off"
MODEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@-]{0,99}")


@dataclass(frozen=True)
class Change:
    """One switch of one campaign, as it shall be."""

    name: str
    campaign: str
    is_on: bool = True
    value: str | None = None

    def __str__(self) -> str:
        state = (ON if self.is_on else OFF) if self.name == AI_PERSONALIZATION else self.value or OWN
        return f"{self.name} of {'every campaign' if self.campaign == EVERY_CAMPAIGN else self.campaign}: {state}"


def read_changes(given: Mapping[str, Any], campaigns: Sequence[str], *, vendor: str) -> list[Change]:
    """What to turn.

    Args:
        given: `campaign`, `ai_personalization` (on, off, unchanged), `template` and `model` (a name, own, unchanged).
        campaigns: those that there are.
        vendor: of the connection that campaigns ask; another vendor's model would be refused all night.

    Raises:
        TerminalError: something is not among the valid choices, which the message names; nothing is turned.
    """
    campaign = _one_of("campaign", given.get("campaign"), [EVERY_CAMPAIGN, *campaigns])
    changes = []
    personalization = _one_of(AI_PERSONALIZATION, given.get(AI_PERSONALIZATION, UNCHANGED), [UNCHANGED, ON, OFF])
    if personalization != UNCHANGED:
        changes.append(Change(AI_PERSONALIZATION, campaign, is_on=personalization == ON))
    if campaign == EVERY_CAMPAIGN and given.get(TEMPLATE, UNCHANGED) not in (UNCHANGED, OWN):
        raise TerminalError(
            f"a template cannot be pinned for every campaign, as each has its own; name the campaign, or {OWN}"
        )
    for name, check in ((TEMPLATE, _check_template), (MODEL, _check_model)):
        value = given.get(name, UNCHANGED)
        if value == UNCHANGED:
            continue
        if value != OWN:
            check(value, vendor)
        changes.append(Change(name, campaign, value=None if value == OWN else value))
    if not changes:
        raise TerminalError(
            f"nothing to change: set one of {AI_PERSONALIZATION}, {TEMPLATE}, {MODEL} to other than {UNCHANGED}"
        )
    return changes


def _one_of(name: str, value: Any, choices: Sequence[str]) -> str:
    if not isinstance(value, str) or value not in choices:
        raise TerminalError(f"{name} is {value!r}; expected one of {', '.join(choices)}")
    return value


def _check_template(value: Any, _: str) -> None:
    try:
        load_campaign_template(value if isinstance(value, str) else repr(value))
    except ConfigError as error:
        raise TerminalError(f"{error} Valid here are: {', '.join([UNCHANGED, OWN, *_campaign_templates()])}.") from None


def _campaign_templates() -> list[str]:
    """Released prompts whose copy a campaign can push."""
    valid = []
    for reference in sorted(released()):
        try:
            load_campaign_template(reference)
        except ConfigError:
            continue
        valid.append(reference)
    return valid


def _check_model(value: Any, vendor: str) -> None:
    """A model that no price is known of, or that the endpoint does not serve: everyone would get static copy."""
    if not isinstance(value, str) or not MODEL_NAME.fullmatch(value):
        raise TerminalError(f"model is {str(value)[:80]!r}; expected a model's name, {OWN} or {UNCHANGED}")
    prices = load_prices().root
    served = sorted(model for model, entries in prices.items() if entries[-1].vendor == vendor)
    valid = ", ".join([UNCHANGED, OWN, *served])
    if value in prices and value not in served:
        raise TerminalError(f"the connection llm leads to {vendor}, which does not serve {value}. Valid are: {valid}.")
    if value not in prices and not load_policy().llm.allow_unpriced_models:
        raise TerminalError(f"include/prices.yaml has no price for the model {value}. Valid are: {valid}.")
