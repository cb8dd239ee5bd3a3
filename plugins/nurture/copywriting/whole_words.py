"""Finding any of many patterns as whole words, fast where none of them stands."""

import re
from collections.abc import Sequence


def whole_words(patterns: Sequence[str]) -> re.Pattern[str]:
    """Any of `patterns`, as whole words."""
    return re.compile(rf"(?<!\w)(?:{'|'.join(patterns)})(?!\w)")


class AnyOf:
    """Whether any of many patterns stands in a text, as whole words: each is tried only at words that begin as it does."""

    def __init__(self, patterns: Sequence[str]) -> None:
        by_start: dict[str, list[str]] = {}
        for pattern in patterns:
            for start in _starts(pattern) or ("",):
                by_start.setdefault(start, []).append(pattern)
        self._anywhere = whole_words(tuple(by_start.pop(""))) if "" in by_start else None
        self._at = {start: re.compile(rf"(?:{'|'.join(some)})(?!\w)").match for start, some in by_start.items()}

    def search(self, text: str) -> bool:
        """Whether any stands in `text`."""
        if self._anywhere and self._anywhere.search(text):
            return True
        for word in _WORD_START.finditer(text):
            found = word[0]
            for start in (found, found[0]):
                if (match := self._at.get(start)) and match(text, word.start()):
                    return True
        return False


_WORD_START = re.compile(r"(?<!\w)[a-z0-9%$]['\w]?")
_OPENING = re.compile(r"\((?P<any>[a-z' -]+(?:\|[a-z' -]+)*)\)(?P<optional>\?)?")
_PLAIN = re.compile(r"[a-z]{2}(?![?*{+|])")


def _starts(pattern: str) -> frozenset[str] | None:
    """The two letters with which a match of `pattern` can begin; None where that is not plain to see."""
    if _PLAIN.match(pattern) and "|" not in re.sub(r"\([^()]*\)", "", re.sub(r"\[[^]]*\]", "", pattern)):
        return frozenset({pattern[:2]})
    if not (opening := _OPENING.match(pattern)) or any(
        not one[:2].isalpha() or len(one) < 2 for one in opening["any"].split("|")
    ):
        return None
    found = frozenset(one[:2] for one in opening["any"].split("|"))
    if not opening["optional"]:
        return found
    rest = _starts(pattern[opening.end() :])
    return found | rest if rest else None
