"""The typed form of `include/consent_regions.yaml`: which consent a message needs, by where the person is."""

from collections import Counter
from datetime import date
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from nurture.paths import INCLUDE
from nurture.strict_yaml import Count, Strict, read_strict

CONSENT_REGIONS = INCLUDE / "consent_regions.yaml"

Region = Annotated[str, Field(pattern=r"^([A-Z]{2}|US-[A-Z]{2})$")]
Source = Annotated[str, Field(pattern=r"^https://\S+$")]


class ImpliedBy(Strict):
    """A GA4 event of the logged-in person from which the law infers consent for so many days."""

    event: str
    days: Count


class Rule(Strict):
    """What a message needs.

    Attributes:
        law: in words.
        basis: `opt_in`: a grant. `opt_out`: nobody said no. `implied`: a grant, or one of `implied_by`.
        withdrawal_business_days: what the law leaves to act on a withdrawal, 0 where it names none; we act at once.
    """

    id: str
    law: str
    basis: Literal["opt_in", "opt_out", "implied"]
    implied_by: tuple[ImpliedBy, ...] = ()
    withdrawal_business_days: Annotated[int, Field(ge=0)]

    @model_validator(mode="after")
    def _implied_by_something(self) -> Self:
        if (self.basis == "implied") != bool(self.implied_by):
            raise ValueError(
                f"rule {self.id}: `implied_by` goes with the basis implied, and only with it; this one is {self.basis}"
            )
        return self


class RegionRule(Rule):
    """A rule of the file.

    Attributes:
        regions: ISO 3166 countries, and `US-XX`.
        sources: addresses of the law or of the regulator's page, read on the day `checked`.
    """

    regions: Annotated[tuple[Region, ...], Field(min_length=1)]
    sources: Annotated[tuple[Source, ...], Field(min_length=1)]
    checked: date


STRICTEST = Rule(
    id="strictest", law="no rule names the region, so the strictest basis holds", basis="opt_in", withdrawal_business_days=0
)
"""Where the region is unknown or no rule names it; audience/apply_consent.sql has the same. No file can loosen it."""


class Rules(Strict):
    """All rules; every region is named once at most."""

    rules: tuple[RegionRule, ...]

    @model_validator(mode="after")
    def _name_everything_once(self) -> Self:
        for what, names in (
            ("rule id", [STRICTEST.id, *(rule.id for rule in self.rules)]),
            ("region", [region for rule in self.rules for region in rule.regions]),
        ):
            if twice := [name for name, times in Counter(names).items() if times > 1]:
                raise ValueError(f"{what} {', '.join(twice)} is given twice; each has one rule")
        return self

    @cached_property
    def _by_region(self) -> dict[str, RegionRule]:
        return {region: rule for rule in self.rules for region in rule.regions}

    def rule_for(self, region: str | None) -> Rule:
        """The rule of `region` (upper case, `US-XX` or a country), else that of its country, else the strictest."""
        name = region or ""
        return self._by_region.get(name) or self._by_region.get(name.split("-")[0]) or STRICTEST

    def parameters(self) -> dict[str, list[Any]]:
        """The rules as arrays, as audience/apply_consent.sql binds them."""
        named = [(region, rule) for region, rule in self._by_region.items()]
        implied = [(rule.id, by) for rule in self.rules for by in rule.implied_by]
        return {
            "rule_regions": [region for region, _ in named],
            "rule_ids": [rule.id for _, rule in named],
            "rule_bases": [rule.basis for _, rule in named],
            "implied_rules": [rule_id for rule_id, _ in implied],
            "implied_events": [by.event for _, by in implied],
            "implied_days": [by.days for _, by in implied],
        }


@cache
def load_rules(path: Path = CONSENT_REGIONS) -> Rules:
    """Read the rules, once in a process: a task applies the same ones from its first batch to its last.

    Raises:
        ConfigError: the file is missing, is not YAML, has an unknown, missing or ill-typed key, or names something twice.
    """
    return read_strict(path, Rules)
