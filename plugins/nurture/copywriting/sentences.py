"""Where a sentence ends: the unit that a claim stands in and that a fact is cited for."""

import re
from functools import lru_cache

_END = re.compile(
    r"(?P<stop>[.!?…]+|[。！？]+)"
    r"(?P<closing>[\"'”’»)\]]*)"
    r"(?:(?=\s|$)|(?<=[。！？])|(?=[A-Z{][a-z]))"
)
"""A stop, what closes with it, then space, the end, or (a space forgotten) a capitalised word."""

_BULLET = re.compile(r"\s*(?:[-*•–]|\d{1,3}[.)])\s+")
_GOES_ON = {
    "always": frozenset({
        "e.g", "i.e", "cf", "vs", "mr", "mrs", "ms", "mx", "dr", "prof", "st", "approx", "ca", "viz", "incl", "excl", "fig",
        "vol", "esp",
    }),
    "before a number": frozenset({
        "no", "nos", "p", "pp", "art", "sec", "ch", "max", "min", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep",
        "sept", "oct", "nov", "dec",
    }),
    "before a small letter": frozenset({
        "etc", "inc", "ltd", "co", "corp", "llc", "gmbh", "a.m", "p.m", "u.s", "u.k", "dept", "est", "hr", "hrs", "min",
        "mins", "yr", "yrs",
    }),
}  # fmt: skip
"""Abbreviations, and when their full stop ends no sentence."""


def sentences(text: str) -> list[str]:
    """The sentences of `text`, in order, without the space around them. A line break always ends one.

    Nothing but space is lost: a text that is not blank has at least one sentence, a bullet belongs to what follows it.
    """
    return [text[start:end] for start, end in spans(text)]


@lru_cache(maxsize=4096)
def spans(text: str) -> tuple[tuple[int, int], ...]:
    """First and one-past-last position of each sentence in `text`."""
    found = []
    for line in re.finditer(r"[^\n\r\u2028\u2029\x0b\x0c\x85]+", text):
        start = line.start()
        bullet = _BULLET.match(text, start, line.end())
        position = bullet.end() if bullet else start
        while end := _END.search(text, position, line.end()):
            position = end.end()
            if _goes_on(text, end, line.end()):
                continue
            found.append((start, position))
            start = position
        found.append((start, line.end()))
    return tuple(span for span in (_trimmed(text, *span) for span in found) if span[0] < span[1])


def _goes_on(text: str, end: re.Match[str], line_end: int) -> bool:
    """Whether the sentence continues after this stop."""
    rest = text[end.end() : line_end].lstrip()
    if not rest:
        return False
    stop, following = end["stop"], rest[0]
    if stop in ("…", "...", ".."):
        return following.islower()
    if stop != ".":
        return False
    word = re.split(r"[\s(\[\"'“‘/]", text[: end.start()])[-1]
    folded = word.casefold()
    if folded in _GOES_ON["always"] or (len(word) == 1 and word.isalpha() and word.isupper() and word != "I"):
        return True
    if folded in _GOES_ON["before a number"] and following.isdecimal():
        return True
    return folded in _GOES_ON["before a small letter"] and (following.islower() or following in ",;:)")


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
