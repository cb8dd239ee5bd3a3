"""One piece of copy: what it says and on what; reading it from what a model answered or from the store."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from nurture.copywriting.citations import BRACKET, Citation, cite_all, read_markers
from nurture.copywriting.shapes import RESERVED_NAMES, Shape, part_of

LONGEST_ANSWER = 20_000  # characters; more is nothing that we asked for, whatever it says
KEPT_OF_BAD_ANSWER = 2_000  # characters


@dataclass(frozen=True)
class Piece:
    """What one context is told, placeholders not filled.

    Attributes:
        texts: name → text; the texts of a list part are named `subject_lines.1`, `subject_lines.2` …
        citations: the sentences that rest on facts. A sentence that is not among them states nothing about the company.
    """

    texts: dict[str, str]
    citations: tuple[Citation, ...]

    @classmethod
    def citing(cls, texts: Mapping[str, str], fact_ids: Iterable[str]) -> "Piece":
        """A piece of which every sentence may rest on any of `fact_ids`."""
        ids = list(fact_ids)
        return cls(dict(texts), tuple(citation for name, text in texts.items() for citation in cite_all(name, text, ids)))

    @classmethod
    def from_stored(cls, output: Mapping[str, Any]) -> "Piece":
        """Read `ops.copy.output`; what was stored before there were citations by sentence cites all for all."""
        texts = dict(_texts({name: value for name, value in output.items() if name not in RESERVED_NAMES}))
        if "citations" not in output:
            return cls.citing(texts, output["cited_fact_ids"])
        return cls(texts, tuple(Citation(c["part"], c["sentence"], tuple(c["fact_ids"])) for c in output["citations"]))

    @property
    def text(self) -> str:
        return "\n".join(self.texts.values())

    @property
    def cited_fact_ids(self) -> list[str]:
        return list(dict.fromkeys(fact_id for citation in self.citations for fact_id in citation.fact_ids))

    def facts_of(self, name: str, sentence: str) -> tuple[str, ...]:
        """The ids of the facts that a sentence of text `name` rests on; none when it claims nothing."""
        found = (fact_id for c in self.citations if (c.part, c.sentence) == (name, sentence) for fact_id in c.fact_ids)
        return tuple(dict.fromkeys(found))

    def stored(self) -> dict[str, Any]:
        """As it goes into `ops.copy.output`: a key for each part (a list part as a list), and what is cited."""
        parts: dict[str, Any] = {}
        for name, text in self.texts.items():
            if "." in name:
                parts.setdefault(part_of(name), []).append(text)
            else:
                parts[name] = text
        citations = [{"part": c.part, "sentence": c.sentence, "fact_ids": list(c.fact_ids)} for c in self.citations]
        return {**parts, "cited_fact_ids": self.cited_fact_ids, "citations": citations}


class BadAnswer(ValueError):
    """An answer that is no piece of copy; the message says what was found and what was expected."""


def read_piece(answer: str | None, shape: Shape) -> Piece:
    """Read a model's answer to a template, or to any other shape.

    Raises:
        BadAnswer: empty, too long, not JSON, not of the right shape, or with a bracket that is no citation.
    """
    keys = [*shape.limits, *(["cited_fact_ids"] if shape.citations == "list" else [])]
    expected = f"expected one JSON object with {', '.join(keys)}"
    if not answer or not answer.strip():
        raise BadAnswer(f"the answer is empty; {expected}")
    if len(answer) > LONGEST_ANSWER:
        raise BadAnswer(f"the answer has {len(answer)} characters; {expected} of at most {LONGEST_ANSWER}")
    try:
        found = json.loads(answer)
    except (ValueError, RecursionError):
        raise BadAnswer(f"the answer is not JSON; {expected}") from None
    if problems := list(_shape_problems(found, shape, keys)):
        raise BadAnswer(f"the answer has the wrong shape ({'; '.join(problems[:5])}); {expected}")
    texts = dict(_texts({name: found[name] for name in shape.limits}))
    if shape.citations == "list":
        return Piece.citing(texts, found["cited_fact_ids"])
    return _marked_piece(texts)


def _marked_piece(texts: dict[str, str]) -> Piece:
    clean: dict[str, str] = {}
    citations: list[Citation] = []
    for name, text in texts.items():
        clean[name], cited = read_markers(name, text)
        citations += cited
        if bracket := BRACKET.search(clean[name]):
            around = clean[name][max(bracket.start() - 10, 0) : bracket.start() + 30]
            raise BadAnswer(
                f"the answer has the wrong shape ({name} has a bracket that is no citation: {around!r}); "
                "expected [fact-id] right after the sentence that rests on the fact"
            )
        if not clean[name]:
            raise BadAnswer(f"the answer has the wrong shape ({name} is nothing but citations); expected text")
    return Piece(clean, tuple(citations))


def _texts(parts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in parts.items():
        if isinstance(value, str):
            yield name, value
        else:
            yield from ((f"{name}.{number}", text) for number, text in enumerate(value, start=1))


def _shape_problems(found: Any, shape: Shape, keys: list[str]) -> Iterator[str]:
    if not isinstance(found, dict):
        yield f"answer: a JSON {type(found).__name__}, not an object"
        return
    yield from (f"{name[:60]}: nobody asked for it" for name in found if name not in keys)
    for name in keys:
        if name not in found:
            yield f"{name}: Field required"
        elif name == "cited_fact_ids":
            yield from _list_problems(name, found[name], None)
        elif (items := shape.limits[name].items) is not None:
            yield from _list_problems(name, found[name], items)
        else:
            yield from _text_problems(name, found[name])


def _list_problems(name: str, found: Any, items: int | None) -> Iterator[str]:
    if not isinstance(found, list):
        yield f"{name}: a list was asked for"
        return
    if items is not None and len(found) != items:
        yield f"{name}: {len(found)} texts, not {items}"
    for number, text in enumerate(found, start=1):
        yield from _text_problems(f"{name}.{number}", text)


def _text_problems(name: str, found: Any) -> Iterator[str]:
    if not isinstance(found, str):
        yield f"{name}: not a text"
    elif not found.strip():
        yield f"{name}: a blank text"


def storable(value: Any) -> Any:
    """`value` with every text as PostgreSQL takes it: no NUL, no unpaired surrogate."""
    with suppress(UnicodeEncodeError):
        text = canonical(value)
        if "\\u0000" not in text and text.encode():  # as nearly always: nothing is to be taken apart
            return value
    return _mended(value)


def _mended(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {_mended(key): _mended(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_mended(inner) for inner in value]
    return value


def canonical(value: Any) -> str:
    """JSON text that is the same whenever the value is: sorted keys, no spaces."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def sha256(value: Any) -> str:
    """Hex digest of the canonical JSON of `value`."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()
