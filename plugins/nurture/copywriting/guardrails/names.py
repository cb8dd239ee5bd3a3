"""Proper names in a text: what is written with a capital and does not owe it to the start of a sentence."""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from nurture.copywriting.english import ENGLISH
from nurture.copywriting.figures import plain

_TOKEN = re.compile(r"[^\W_][\w'’.-]*[^\W_]|[^\W_]|&")
_JOINERS = ("&", "and", "of", "de", "van", "von")
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
_OPENS = re.compile(r"(?:^|[.!?:;–—\n•*(\"“‘-]|\s')\s*$")


@lru_cache(maxsize=8192)
def proper_names(text: str) -> tuple[str, ...]:
    """The names in `text`; neighbouring capitalised words are one name ("Tamsin & Rowe").

    A word that opens a sentence counts only when another capitalised word follows it or it is all capitals.
    """
    text = _PLACEHOLDER.sub("·", unicodedata.normalize("NFKC", text))
    names: list[str] = []
    run: list[tuple[str, bool]] = []
    end = 0
    for match in _TOKEN.finditer(text):
        word, gap = match[0], text[end : match.start()]
        if not run and not _is_capitalised(word):
            end = match.end()
            continue
        opens = bool(_OPENS.search(text[max(0, match.start() - 4) : match.start()]))
        if run and (opens or gap.strip()):
            names += _ended(run)
            run = []
        end = match.end()
        if _is_capitalised(word):
            run.append((word, opens))
        elif word == "&" and run:
            run.append((word, False))
        elif run:
            names += _ended(run)
            run = []
    return tuple(dict.fromkeys([*names, *_ended(run)]))


def is_title_case(text: str) -> bool:
    """Whether `text` is a headline In Title Case, where capitals mean nothing."""
    long = [word for word in _TOKEN.findall(_PLACEHOLDER.sub("", text)) if len(word) > 3 and word[0].isalpha()]
    return len(long) >= 3 and sum(word[0].isupper() for word in long) / len(long) > 0.7


def _is_capitalised(word: str) -> bool:
    return any(char.isupper() for char in word) and (len(word) > 1 or word == "I")


def _ended(run: list[tuple[str, bool]]) -> list[str]:
    while run and run[-1][0] == "&":
        run = run[:-1]
    if not run:
        return []
    if run[0][1] and len(run) > 1 and plain(run[0][0]) in ENGLISH:
        run = [(word, False) for word, _ in run[1:]]
    (first, opens), single = run[0], len(run) == 1
    shouts = len(first) > 1 and any(char.isupper() for char in first[1:])
    if opens and single and not shouts:
        return []
    return [" ".join(word for word, _ in run)]


def long_names(texts: Iterable[str], product_names: tuple[str, ...], company_names: tuple[str, ...]) -> frozenset[str]:
    """Proper names of two words and more in `texts`, in lower case, the company's own left out."""
    own = {plain(name) for name in company_names}
    names = (plain(name) for text in texts for name in proper_names(without(text, product_names)))
    return frozenset(name for name in names if " " in name and name.split(" ")[0] not in own)


@lru_cache(maxsize=16384)
def without(text: str, names: tuple[str, ...]) -> str:
    """`text` with each of `names` replaced by a dot."""
    return _whole(names).sub("·", text)


@lru_cache(maxsize=64)
def _whole(names: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, names)) or '$^'})(?!\w)", re.IGNORECASE)
