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
              "know", "goes": "go", "shown": "show", "ran": "run", "said": "say", "left": "leave", "paid": "pay", "rose":
              "rise", "risen": "rise", "grew": "grow", "began": "begin", "hidden": "hide", "hid": "hide", "stood":
              "stand", "broke": "break", "broken": "break", "wrote": "write", "written": "write", "held": "hold",
              "brought": "bring", "shelves": "shelf", "children": "child", "men": "man", "women": "woman", "torn":
              "tear", "worn": "wear", "wore": "wear", "became": "become", "bought": "buy", "built": "build", "caught":
              "catch", "chose": "choose", "chosen": "choose", "drew": "draw", "drawn": "draw", "drove": "drive",
              "driven": "drive", "ate": "eat", "eaten": "eat", "flew": "fly", "flown": "fly", "forgot": "forget",
              "forgotten": "forget", "froze": "freeze", "frozen": "freeze", "grown": "grow", "hung": "hang", "heard":
              "hear", "laid": "lay", "meant": "mean", "met": "meet", "rode": "ride", "ridden": "ride", "rang": "ring",
              "rung": "ring", "sold": "sell", "shook": "shake", "shaken": "shake", "sang": "sing", "sat": "sit",
              "slept": "sleep", "spoke": "speak", "spoken": "speak", "spent": "spend", "stole": "steal", "stolen":
              "steal", "stuck": "stick", "swept": "sweep", "taught": "teach", "thought": "think", "threw": "throw",
              "thrown": "throw", "understood": "understand", "woke": "wake", "woken": "wake", "won": "win", "dug":
              "dig", "bent": "bend", "lent": "lend", "fed": "feed", "fought": "fight", "swore": "swear", "sworn":
              "swear", "shrank": "shrink", "sank": "sink", "drank": "drink", "struck": "strike", "crept":
              "creep"}  # fmt: skip


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
