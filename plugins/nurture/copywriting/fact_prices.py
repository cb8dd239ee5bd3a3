"""A product's price stands in the vocabulary: a fact that states it is held against that."""

import re
from collections.abc import Iterator, Sequence
from functools import cache

from nurture.copywriting.copy_rules import load_copy_rules
from nurture.copywriting.vocabulary import Product

_DOLLARS = re.compile(r"\$\s?(\d[\d,]*(?:\.\d+)?)")
_OF_SOMETHING_ELSE = re.compile(r"\b(?:for|of|with|to|in|on|behind) *$", re.IGNORECASE)  # "labels for Larkfield Print 200"
_CONDITION = re.compile(r"\W*(?:in|from|until|for|during)\b", re.IGNORECASE)  # "In its first year Larkfield Insight"
_VERBS = "costs?|is|are|at|for|sells? (?:for|at)|starts? at|comes at|goes for"
_MODIFIERS = "you|now|only|just|today|currently|still|from|at|about|around|priced|available|as|little|for"


def price_problems(text: str, products: Sequence[Product], *, price_of: str | None, is_limited: bool) -> Iterator[str]:
    """What is wrong with the prices in a fact's text.

    Args:
        price_of: the product whose price the fact says that it states.
        is_limited: the fact holds for a time or in a market, so a price under such a condition may be another one.
    """
    for product in products:
        if product.id != price_of and _is_priced(text, product.name, is_limited):
            yield (
                f"says what {product.name} costs: add `price_of: {product.id}`, which holds it against the vocabulary's "
                f"${product.price_usd}. A price for a time or in a market begins with that "
                f"(`In its first year {product.name} costs …`) and has valid_until or regions."
            )
    if price_of is None:
        return
    stated = next((product for product in products if product.id == price_of), None)
    if stated is None:
        yield f"price_of names no product: {price_of}. Products are: {', '.join(product.id for product in products)}."
    elif [float(found.replace(",", "")) for found in _DOLLARS.findall(text)] != [stated.price_usd]:
        said = ", ".join(f"${found}" for found in _DOLLARS.findall(text)) or "no price in $"
        yield f"states {said}; the vocabulary says ${stated.price_usd} for {stated.id}."


def _is_priced(text: str, name: str, is_limited: bool) -> bool:
    """Whether `text` says what `name` costs: not what goes with it costs, nor what it costs under a condition."""
    if "$" not in text or name.casefold() not in text.casefold():
        return False  # most facts
    for match in _pricing(name).finditer(text):
        before = re.split("[.!?]", text[: match.start()])[-1]
        is_another_thing = not match["price_of"] and _OF_SOMETHING_ELSE.search(before)
        if not is_another_thing and not (is_limited and _CONDITION.match(before)):
            return True
    return False


@cache
def _pricing(name: str) -> re.Pattern[str]:
    """`name`, also as "`name` scanners" or "a `name`", up to the dollars that it is said to cost."""
    kinds = "|".join(map(re.escape, load_copy_rules().called))
    return re.compile(
        rf"\b(?P<price_of>(?:price|cost)s? (?:of|for) )?(?:an? |the |each |every |one )?{re.escape(name)}"
        rf"(?: (?:{kinds})s?)?(?:'s (?:price|cost))?(?: (?:{_MODIFIERS}))?(?: (?:{_VERBS})|:|,| \()"
        rf"(?: (?:{_MODIFIERS}))* ?(?:US ?)?\$\s?\d",
        re.IGNORECASE,
    )
