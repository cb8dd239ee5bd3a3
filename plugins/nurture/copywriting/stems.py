"""Words and their stems: `counted`, `counting` and `counts` are one word."""

import re
from functools import lru_cache

import snowballstemmer  # type: ignore[import-untyped]

from nurture.copywriting.figures import plain

Stems = frozenset[str]

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_STEMMER = snowballstemmer.stemmer("english")
_IRREGULAR = {"fell": "fall", "fallen": "fall", "told": "tell", "saw": "see", "seen": "see", "kept": "keep",
              "sent": "send", "found": "find", "lost": "lose", "came": "come", "went": "go", "gone": "go", "took":
              "take", "taken": "take", "gave": "give", "got": "get", "made": "make", "knew": "know", "known":
              "know", "shown": "show", "ran": "run", "said": "say", "left": "leave", "paid": "pay", "rose":
              "rise", "risen": "rise", "grew": "grow", "began": "begin", "hidden": "hide", "hid": "hide", "stood":
              "stand", "broke": "break", "broken": "break", "wrote": "write", "written": "write", "held": "hold",
              "brought": "bring", "shelves": "shelf", "children": "child", "men": "man", "women": "woman", "torn":
              "tear", "worn": "wear"}  # fmt: skip


@lru_cache(maxsize=8192)
def words(text: str) -> tuple[str, ...]:
    """The words of `text` in order, in lower case, numbers left out, `n't` and `'s` taken off."""
    return tuple(word for word in map(_bare, _WORD.findall(plain(text))) if word)


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """The stem of one lower-case word."""
    return str(_STEMMER.stemWord(_IRREGULAR.get(word, word)))


@lru_cache(maxsize=4096)
def stems(text: str) -> Stems:
    """The stems of all words of `text`."""
    return frozenset(map(stem, words(text)))


def _bare(word: str) -> str:
    if "'" not in word:
        return word
    return (
        word.removesuffix("n't")
        .removesuffix("'s")
        .removesuffix("'ll")
        .removesuffix("'re")
        .removesuffix("'ve")
        .removesuffix("'d")
    )
