"""Finding every figure in a text: numbers, prices, percentages, dates, links, and words that mean one.

Two spellings of one figure (`1,000` and `1000`, `30 %` and `thirty percent`, `49.00 dollars` and `$49`, digits of any
script, Roman numerals) come out equal, so that copy can be held against the facts. Where a spelling has two readings,
both come out and both must be covered: the check errs towards refusing.
"""

import re
from dataclasses import replace
from functools import lru_cache

from nurture.copywriting.figures.dates import dates
from nurture.copywriting.figures.figure import MASK, Claim, Figure
from nurture.copywriting.figures.plain import plain, without_roman_numerals
from nurture.copywriting.figures.quantities import LEFT_OUT, leftovers, quantities
from nurture.copywriting.figures.units import TIME_UNITS
from nurture.copywriting.figures.words import fixed_words, links, paces

__all__ = ["Claim", "Figure", "covered_by", "figures", "plain", "said_by"]

_FINDERS = (links, dates, fixed_words, quantities, paces, leftovers)  # what one takes, the next does not see


_EQUAL = {
    **{(str(100 // part), "%"): ((f"1/{part}", ""),) for part in (2, 4, 5, 10)},
    **{(str(7 * weeks), "day"): ((str(weeks), "week"),) for weeks in range(1, 9)},
    **{(str(60 * hours), "minute"): ((str(hours), "hour"),) for hours in range(1, 13)},
    ("75", "%"): (("3/4", ""),),
    ("1/2", "hour"): (("30", "minute"),),
    ("12", "month"): (("1", "year"),),
}
"""What a figure may be said as without another value."""


@lru_cache(maxsize=4096)
def figures(text: str) -> tuple[Figure, ...]:
    """Every figure of `text`, in no order. A spelling with two readings gives two figures."""
    chars = list(plain(without_roman_numerals(text)))
    found: dict[tuple[int, int], list[Figure]] = {}
    for find in _FINDERS:
        rest = "".join(chars)
        for figure, start, end in list(find(rest)):
            if (start, end) not in found and MASK in chars[start:end]:
                continue  # two patterns of one finder that overlap: the first counts
            found.setdefault((start, end), []).append(replace(figure, found=rest[start:end].strip()))
            chars[start:end] = MASK * (end - start)
    return tuple(figure for same_place in found.values() for figure in same_place)


@lru_cache(maxsize=4096)
def covered_by(facts: str) -> frozenset[Claim]:
    """The claims that `facts` cover: its figures, and its dates with the year or the day left out."""
    return frozenset(claim for figure in figures(facts) for claim in said_by(figure))


@lru_cache(maxsize=4096)
def said_by(figure: Figure) -> frozenset[Claim]:
    """What a figure of a fact may be quoted as: itself, an equal (25 % and a quarter), a date's month."""
    said = {figure.claim}
    if figure.kind == "number" and figure.unit in TIME_UNITS:
        said.add(("number", figure.value, LEFT_OUT))
    if figure.per:
        said.add(("pace", f"every {figure.per}", ""))
    if figure.per in ("second", "minute", "hour"):
        said.add(("pace", figure.per, ""))  # "200 labels in a minute"
    said |= {("number", value, unit) for value, unit in _EQUAL.get((figure.value, figure.unit), ())}
    if match := re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)", figure.value):
        said |= {("date", value, "") for value in (f"{match[1]}-{match[2]}", f"--{match[2]}-{match[3]}")}
    if match := re.fullmatch(r"(?:\d{4}|-)-(\d\d)(?:-\d\d)?", figure.value):
        said.add(("date", f"--{match[1]}", ""))
    return frozenset(said)
