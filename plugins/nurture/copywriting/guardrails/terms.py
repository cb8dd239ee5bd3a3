"""What a piece is held against, what a guardrail is, and what comes of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from nurture.copywriting.copy_rules import CopyRules, load_copy_rules
from nurture.copywriting.facts import Fact
from nurture.copywriting.guardrails.names import long_names
from nurture.copywriting.shapes import Limits
from nurture.copywriting.stems import Stems, stems

if TYPE_CHECKING:
    from nurture.copywriting.guardrails.draft import Draft

Outcome = Literal["clear", "flagged", "rejected"]


@dataclass(frozen=True)
class Terms:
    """What one piece is held against.

    Attributes:
        limits: part → what it may be.
        placeholders: names that may stand in braces.
        facts: what the writer was offered.
        product_names: every product of the company.
        instructions: what the writer was told and must not repeat; empty for static copy.
        citations: `list`: every sentence may rest on any cited fact. `sentence`: on those cited for it.
        day: on which the copy is sent; facts that do not hold then may not be cited. None: not checked here.
        rules: what marketers allow and forbid.
    """

    limits: Limits
    placeholders: tuple[str, ...]
    facts: tuple[Fact, ...]
    product_names: tuple[str, ...]
    instructions: str = ""
    citations: Literal["list", "sentence"] = "list"
    day: date | None = None
    rules: CopyRules = field(default_factory=load_copy_rules)

    @cached_property
    def offered(self) -> dict[str, Fact]:
        return {fact.id: fact for fact in self.facts}

    @cached_property
    def customers(self) -> frozenset[str]:
        """Names in the offered facts that are neither the company's nor a place's, in lower case."""
        places = {region.replace("_", " ") for fact in self.facts for region in fact.regions}
        names = long_names((fact.text for fact in self.facts), self.product_names, self.rules.company_names)
        return names - places

    @cached_property
    def fact_stems(self) -> Stems:
        """The stems of every offered fact."""
        return frozenset[str]().union(*(stems(fact.text) for fact in self.facts))

    @cached_property
    def topics(self) -> Stems:
        """The stems of what the offered facts speak to: a business, a need."""
        return stems(" ".join(topic for fact in self.facts for topic in fact.topics).replace("_", " "))

    @cached_property
    def facts_by_stem(self) -> dict[str, frozenset[str]]:
        """Stem → the ids of the offered facts that it stands in."""
        found: dict[str, set[str]] = {}
        for fact in self.facts:
            for root in stems(fact.text):
                found.setdefault(root, set()).add(fact.id)
        return {root: frozenset(ids) for root, ids in found.items()}

    @cached_property
    def facts_by_group(self) -> dict[int, frozenset[str]]:
        """Line of synonyms → the ids of the offered facts that have a word of it."""
        found: dict[int, set[str]] = {}
        for root, ids in self.facts_by_stem.items():
            for group in self.rules.groups.get(root, ()):
                found.setdefault(group, set()).update(ids)
        return {group: frozenset(ids) for group, ids in found.items()}


@dataclass(frozen=True)
class Guardrail:
    """One check: yields what it found wrong, in words.

    Attributes:
        is_reserved: policy hands what it finds to a person (G3); a hit on honest copy is then no false alarm.
    """

    name: str
    reason: str
    outcome: Outcome
    check: Callable[["Draft"], Iterator[str]]
    is_reserved: bool = False


@dataclass(frozen=True)
class Verdict:
    """What becomes of a piece, and why.

    Attributes:
        reasons: each has the guardrail's `name` and what it `found`.
        confidence: 0 to 1, how sure we are that the facts carry the piece (docs/guardrails.md).
    """

    outcome: Outcome
    reasons: tuple[dict[str, str], ...] = ()
    confidence: float = 0.0
