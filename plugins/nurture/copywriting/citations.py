"""Which facts a sentence rests on, and the markers by which a writer says so: `A sentence. [count-what, count-price]`."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from nurture.copywriting.sentences import sentences, spans

_ID = r"[a-z][a-z0-9-]*"
_MARKER = re.compile(rf"\[[ \t]*({_ID}(?:[ \t]*[,;][ \t]*{_ID})*)[ \t]*\]")
_SPACE = " \t\u00a0"

BRACKET = re.compile(r"[\[\]【】［］]")
"""What may not be left of a marker."""


@dataclass(frozen=True)
class Citation:
    """One sentence of one part, and the ids of the facts that it rests on."""

    part: str
    sentence: str
    fact_ids: tuple[str, ...]


def cite_all(part: str, text: str, fact_ids: Iterable[str]) -> tuple[Citation, ...]:
    """Citations by which every sentence of `text` may rest on any of `fact_ids`."""
    ids = tuple(dict.fromkeys(fact_ids))
    return tuple(Citation(part, sentence, ids) for sentence in dict.fromkeys(sentences(text))) if ids else ()


def read_markers(part: str, text: str) -> tuple[str, tuple[Citation, ...]]:
    """`text` as people get it, and what its markers say.

    A marker inside a sentence, or anywhere between its end and the next sentence, belongs to it. A marker that no sentence
    precedes stays in the text, as does what merely looks like one.
    """
    clean, marks = _without_markers(text.strip())
    cited: dict[str, dict[str, None]] = {}
    places = spans(clean)
    for position, ids in marks:
        start, end = [place for place in places if place[0] < position][-1]
        cited.setdefault(clean[start:end], {}).update(dict.fromkeys(ids))
    return clean, tuple(Citation(part, sentence, tuple(ids)) for sentence, ids in cited.items())


def _without_markers(text: str) -> tuple[str, list[tuple[int, list[str]]]]:
    """`text` without its markers, and for each the place where it stood and the ids that it named."""
    clean, marks, rest = "", [], 0
    for marker in _MARKER.finditer(text):
        before = clean + text[rest : marker.start()]
        rest = marker.end()
        if not before.strip():
            clean = before + marker[0]
            continue
        clean, after = before.rstrip(_SPACE), text[rest:]
        if not after.strip(_SPACE) or after.lstrip(_SPACE)[0] == "\n":
            clean, rest = clean.rstrip(), rest + len(after) - len(after.lstrip(_SPACE))
        elif clean.endswith("\n"):
            rest += len(after) - len(after.lstrip(_SPACE))
        marks.append((len(clean), re.split(r"[,;]", re.sub(r"\s", "", marker[1]))))
        if clean[-1:].strip() and after[:1].strip() and not re.match(r"[.,;:!?…)\"'”’»\[]", after):
            clean += " "
    return clean + text[rest:], marks
