"""Approved claims: the only things that copy may say about the company. Here as they are written in `include/facts`."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import Field

from nurture.copywriting.fact_prices import price_problems
from nurture.copywriting.vocabulary import Vocabulary, load_vocabulary
from nurture.errors import ConfigError
from nurture.paths import FACTS
from nurture.strict_yaml import Count, Strict, read_strict

TOPIC_LISTS = ("industries", "pain_points", "products", "personas")
"""Lists of the vocabulary whose words a fact may be about."""


class Fact(Strict):
    """One claim that a named person approved.

    Attributes:
        version: a change of wording is a new version; everything else may change under the same one.
        source: where it can be checked.
        valid_from, valid_until: first and last day on which it may be said; None: until further notice.
        topics: words of the vocabulary (`TOPIC_LISTS`) that it speaks to; none: it suits everyone.
        regions: markets in which it may be said; none: everywhere.
        price_of: id of the product whose price it states; the text must then hold the price of the vocabulary. A price for a
            time or a market has none: it begins with the condition, and has `valid_until` or `regions`.
    """

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    version: Count
    text: Annotated[str, Field(min_length=1, max_length=300)]
    source: Annotated[str, Field(min_length=1)]
    approver: Annotated[str, Field(min_length=1)]
    valid_from: date
    valid_until: date | None
    topics: tuple[str, ...]
    regions: tuple[str, ...] = ()
    price_of: str | None = None

    def is_valid_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)


class FactFile(Strict):
    facts: tuple[Fact, ...]


def load_facts(folder: Path = FACTS, vocabulary: Vocabulary | None = None) -> dict[str, Fact]:
    """Every fact of every file in `folder`, by id.

    Raises:
        ConfigError: a file is wrong, an id stands twice, a topic or region is no word of the vocabulary, or a price differs
            from the vocabulary's.
    """
    vocabulary = vocabulary or load_vocabulary()
    facts: dict[str, Fact] = {}
    problems = []
    for path in sorted(folder.glob("*.yaml")):
        for fact in read_strict(path, FactFile).facts:
            if fact.id in facts:
                problems.append(f"{path}: the id {fact.id} stands twice; ids are unique over all files.")
            problems += [f"{path}: {fact.id}: {problem}" for problem in _problems(fact, vocabulary)]
            facts[fact.id] = fact
    if problems:
        raise ConfigError("\n".join(problems))
    if not facts:
        raise ConfigError(f"{folder}: no facts found; expected files such as products.yaml")
    return facts


def _problems(fact: Fact, vocabulary: Vocabulary) -> Iterator[str]:
    topics = [word for name in TOPIC_LISTS for word in vocabulary.words(name) if word != "other"]
    for topic in fact.topics:
        if topic not in topics:
            yield f"unknown topic `{topic}`. Topics are: {', '.join(topics)}."
    regions = [word for word in vocabulary.words("markets") if word != "other"]
    for region in fact.regions:
        if region not in regions:
            yield f"unknown region `{region}`. Regions are the markets of the vocabulary: {', '.join(regions)}."
    if fact.valid_until and fact.valid_until < fact.valid_from:
        yield f"valid_until {fact.valid_until} lies before valid_from {fact.valid_from}."
    if "{" in fact.text or "<" in fact.text or "[" in fact.text:
        yield "the text holds `{`, `<` or `[`; facts are plain text."
    is_limited = bool(fact.valid_until or fact.regions)
    yield from price_problems(fact.text, vocabulary.products, price_of=fact.price_of, is_limited=is_limited)
