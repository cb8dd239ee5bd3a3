"""The words that copy may depend on, and how a person's raw context becomes such words."""

import unicodedata
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from nurture.paths import INCLUDE
from nurture.strict_yaml import Strict, read_strict

VOCABULARY = INCLUDE / "vocabulary.yaml"
LONGEST_WORD = 80  # characters; no word of the vocabulary comes near, so longer values need no look

Context = dict[str, str]
"""One word of the vocabulary for each of `CONTEXT_LISTS`; what is unknown is `other`, or `none` for a product."""

CONTEXT_LISTS = {
    "persona": "personas",
    "industry": "industries",
    "pain_point": "pain_points",
    "lifecycle_stage": "lifecycle_stages",
    "recent_product": "products",
    "market": "markets",
}
"""Key of a context → the list of the vocabulary that its words come from."""


class Product(Strict):
    id: str
    name: str
    category: str
    price_usd: int


class Market(Strict):
    """Countries (ISO 3166) in which the same may be said.

    Attributes:
        name: as it stands in a sentence.
    """

    id: str
    name: str
    countries: tuple[str, ...]


class Vocabulary(Strict):
    """`include/vocabulary.yaml`, typed."""

    company: str
    personas: tuple[str, ...]
    industries: tuple[str, ...]
    pain_points: tuple[str, ...]
    lifecycle_stages: tuple[str, ...]
    products: tuple[Product, ...]
    markets: tuple[Market, ...]

    def words(self, name: str) -> tuple[str, ...]:
        """The words of list `name`; products and markets are named by their id."""
        if name in ("products", "markets"):
            return tuple(entry.id for entry in getattr(self, name))
        words: tuple[str, ...] = getattr(self, name)
        return words

    def readable(self, key: str, word: str) -> str:
        """`word` as it stands in a sentence."""
        named: dict[str, tuple[Product | Market, ...]] = {"recent_product": self.products, "market": self.markets}
        return next((entry.name for entry in named.get(key, ()) if entry.id == word), word.replace("_", " "))

    @cached_property
    def spellings(self) -> dict[str, dict[str, str]]:
        """Key of a context → spelling, case and separators aside → word."""
        spellings = {key: {_folded(word): word for word in self.words(name)} for key, name in CONTEXT_LISTS.items()}
        spellings["recent_product"] |= {_folded(product.name): product.id for product in self.products}
        spellings["market"] |= {_folded(country): market.id for market in self.markets for country in market.countries}
        return spellings

    @property
    def product_names(self) -> tuple[str, ...]:
        return tuple(product.name for product in self.products)


def load_vocabulary(path: Path = VOCABULARY) -> Vocabulary:
    """Read the vocabulary.

    Raises:
        ConfigError: the file is missing, is not YAML, or has an unknown, missing or ill-typed key.
    """
    return read_strict(path, Vocabulary)


def nothing_known(key: str) -> str:
    """The word that says that nothing is known about `key`."""
    return "none" if key == "recent_product" else "other"


def normalise(raw: Any, vocabulary: Vocabulary) -> Context:
    """The context in vocabulary words: whatever else a CRM field or a page title held is dropped here.

    Case, spaces, hyphens and underscores do not matter; a product may be given by id or by name, a market by its id or
    by the ISO 3166 code of a country, which may stand under `country`.
    """
    values = raw if isinstance(raw, Mapping) else {}
    context = {}
    for key in vocabulary.spellings:
        raw_key = "country" if key == "market" and "market" not in values else key
        context[key] = known_word(raw_key, values.get(raw_key), vocabulary) or nothing_known(key)
    return context


def raw_keys(keys: Iterable[str]) -> list[str]:
    """The keys of a raw context that the words of `keys` come from."""
    return sorted({*keys, *(["country"] if "market" in keys else [])})


def known_word(raw_key: str, value: Any, vocabulary: Vocabulary) -> str | None:
    """The word of the vocabulary that `value` under `raw_key` of a raw context is; None if it is none."""
    if not isinstance(value, str) or len(value) > LONGEST_WORD:
        return None
    return vocabulary.spellings["market" if raw_key == "country" else raw_key].get(_folded(value))


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).casefold().replace("&", " and ").replace("_", " ").replace("-", " ")
    return "_".join(plain.split())
