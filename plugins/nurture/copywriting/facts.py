"""Approved claims: the only things that copy may say about the company."""

import re
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import Field

from nurture.copywriting.vocabulary import Context, Vocabulary, load_vocabulary, nothing_known
from nurture.errors import ConfigError
from nurture.paths import FACTS
from nurture.policy import Count, Strict, read_strict

MOST_FACTS = 6  # offered to a writer at once


class Fact(Strict):
    """One claim that a named person approved.

    Attributes:
        source: where it can be checked.
        valid_from, valid_until: first and last day on which it may be said; None: until further notice.
        topics: words of the vocabulary (industry, pain point, product id) that it speaks to; none: it suits everyone.
        price_of: id of the product whose price it states; the text must then hold the price of the vocabulary.
    """

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    version: Count
    text: Annotated[str, Field(min_length=1, max_length=300)]
    source: Annotated[str, Field(min_length=1)]
    approver: Annotated[str, Field(min_length=1)]
    valid_from: date
    valid_until: date | None
    topics: tuple[str, ...]
    price_of: str | None = None

    def is_valid_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)


class FactFile(Strict):
    facts: tuple[Fact, ...]


def load_facts(folder: Path = FACTS, vocabulary: Vocabulary | None = None) -> dict[str, Fact]:
    """Every fact of every file in `folder`, by id.

    Raises:
        ConfigError: a file is wrong, an id stands twice, a topic is no word, or a price differs from the vocabulary's.
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
        raise ConfigError(f"{folder}: no facts found; expected files such as larkfield.yaml")
    return facts


def select_facts(facts: Iterable[Fact], context: Context, day: date) -> tuple[Fact, ...]:
    """The facts to offer for `context` on `day`: the best one for each of its words, then the best of the rest.

    Best is what shares most words with the context; facts for everyone come last; ties go by id.
    """
    words = [word for key, word in sorted(context.items()) if word != nothing_known(key)]
    suitable = [fact for fact in facts if fact.is_valid_on(day) and (not fact.topics or set(words) & set(fact.topics))]
    ranked = sorted(suitable, key=lambda fact: (-len(set(words) & set(fact.topics)), fact.id))
    first = [next((fact for fact in ranked if word in fact.topics), None) for word in words]
    chosen = dict.fromkeys([*(fact.id for fact in first if fact), *(fact.id for fact in ranked)])
    by_id = {fact.id: fact for fact in ranked}
    return tuple(by_id[fact_id] for fact_id in list(chosen)[:MOST_FACTS])


def _problems(fact: Fact, vocabulary: Vocabulary) -> Iterator[str]:
    lists = ("industries", "pain_points", "products")
    words = [word for name in lists for word in vocabulary.words(name) if word != "other"]
    for topic in fact.topics:
        if topic not in words:
            yield f"unknown topic `{topic}`. Topics are: {', '.join(words)}."
    if fact.valid_until and fact.valid_until < fact.valid_from:
        yield f"valid_until {fact.valid_until} lies before valid_from {fact.valid_from}."
    if "{" in fact.text or "<" in fact.text:
        yield "the text holds `{` or `<`; facts are plain text."
    if fact.price_of:
        product = next((p for p in vocabulary.products if p.id == fact.price_of), None)
        if product is None:
            yield f"price_of names no product: {fact.price_of}. Products are: {', '.join(vocabulary.words('products'))}."
        elif (found := re.findall(r"\$([\d,.]*\d)", fact.text)) != [str(product.price_usd)]:
            yield f"states the price {found}; the vocabulary says ${product.price_usd} for {product.id}."
