"""Whether copy is English: by its function words, and by those and the letters of other languages."""

from collections.abc import Iterator
from functools import cache, lru_cache

from nurture.copywriting.assembly import PLACEHOLDER
from nurture.copywriting.english import ENGLISH, FOREIGN
from nurture.copywriting.guardrails.draft import Draft
from nurture.copywriting.stems import Stems, stem, stems, words

FEWEST_WORDS = 3  # in fewer, one known word is enough
KNOWN_SHARE = 0.3  # honest sentences have 0.5 and more
SHORT = 6
_ENDINGS_RARE_IN_ENGLISH = "aiou"
_LETTERS_OF_ENGLISH = set("éïèêç")  # café, naïve


def foreign(draft: Draft) -> Iterator[str]:
    known = _known(draft.terms.rules.everyday, draft.terms.fact_stems)
    for sentence in draft.sentences:
        said = words(PLACEHOLDER.sub("·", sentence.text))
        strange = [word for word in said if stem(word) not in known]
        if not strange:
            continue
        if found := _foreign_words(said, strange):
            yield f"foreign words {', '.join(found[:5])}"
        elif not _is_english(said, strange):
            yield f"hardly an English word in {sentence.text[:60]!r}"


@cache
def _stems_of_english() -> Stems:
    return stems(" ".join(sorted(ENGLISH)))


@lru_cache(maxsize=256)
def _known(everyday: Stems, of_facts: Stems) -> Stems:
    return _stems_of_english() | everyday | of_facts


def _foreign_words(said: tuple[str, ...], strange: list[str]) -> list[str]:
    """Function words and letters of other languages; one alone may be a name."""
    found = [word for word in strange if word in FOREIGN or _has_foreign_letter(word)]
    if not found:
        return found
    english = sum(word in ENGLISH for word in said)
    return found if len(found) >= 2 or english == 0 or 2 * len(strange) > len(said) else []


def _has_foreign_letter(word: str) -> bool:
    return not word.isascii() and any(
        char.isalpha() and not char.isascii() and char not in _LETTERS_OF_ENGLISH for char in word
    )


def _looks_foreign(word: str) -> bool:
    return word[-1] in _ENDINGS_RARE_IN_ENGLISH or not word.isascii()


def _is_english(said: tuple[str, ...], strange: list[str]) -> bool:
    if len(said) < FEWEST_WORDS:
        return len(said) < 2 or len(strange) < len(said) or not any(_looks_foreign(word) for word in strange)
    share = 1 - len(strange) / len(said)
    if len(said) > SHORT:
        return share >= KNOWN_SHARE
    return share >= 0.5 or sum(word[-1] in _ENDINGS_RARE_IN_ENGLISH for word in strange) < 2
