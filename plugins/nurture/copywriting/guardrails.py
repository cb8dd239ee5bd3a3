"""What copy must pass before anyone gets it. Deterministic, in one place; each check has a name and a reason.

What fails is replaced by static copy, never mended. What policy reserves to a person is flagged
(docs/decisions/0004-what-needs-a-person.md).
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from nurture.copywriting.assembly import PLACEHOLDER
from nurture.copywriting.facts import Fact
from nurture.copywriting.figures import covered_by, figures, plain
from nurture.copywriting.pieces import Piece
from nurture.copywriting.reserved import RESERVED
from nurture.copywriting.templates import Limits

Outcome = Literal["clear", "flagged", "rejected"]


@dataclass(frozen=True)
class Terms:
    """What one piece is held against.

    Attributes:
        limits: the longest each part may be.
        placeholders: names that may stand in braces.
        facts: what the writer was offered.
        product_names: every product of the company.
        instructions: what the writer was told and must not repeat; empty for static copy.
    """

    limits: Limits
    placeholders: tuple[str, ...]
    facts: tuple[Fact, ...]
    product_names: tuple[str, ...]
    instructions: str = ""

    def cited(self, piece: Piece) -> list[Fact]:
        return [fact for fact in self.facts if fact.id in piece.cited_fact_ids]


@dataclass(frozen=True)
class Guardrail:
    """One check: yields what it found wrong, in words."""

    name: str
    reason: str
    outcome: Outcome
    check: Callable[[Piece, Terms], Iterator[str]]


@dataclass(frozen=True)
class Verdict:
    """What becomes of a piece, and why: `reasons` hold the guardrail's name and what it found."""

    outcome: Outcome
    reasons: tuple[dict[str, str], ...] = ()


def judge(piece: Piece, terms: Terms) -> Verdict:
    """Hold `piece` against every guardrail; the worst outcome counts."""
    outcomes: set[Outcome] = set()
    reasons = []
    for guardrail in GUARDRAILS:
        for found in guardrail.check(piece, terms):
            outcomes.add(guardrail.outcome)
            reasons.append({"name": guardrail.name, "found": found[:300]})
    worst: Outcome = "rejected" if "rejected" in outcomes else "flagged" if "flagged" in outcomes else "clear"
    return Verdict(worst, tuple(reasons[:20]))


def _lengths(piece: Piece, terms: Terms) -> Iterator[str]:
    for part, text in piece.texts.items():
        limit = getattr(terms.limits, part)
        words = len(text.split())
        if words > limit.max_words or len(text) > limit.max_characters:
            yield (
                f"{part} has {words} words and {len(text)} characters; "
                f"at most {limit.max_words} words and {limit.max_characters} characters"
            )


def _characters(piece: Piece, _: Terms) -> Iterator[str]:
    for char in sorted(set(piece.text)):
        category = unicodedata.category(char)
        if (category[0] == "C" and char != "\n") or (
            category[0] == "L" and not unicodedata.name(char, "").startswith(_LATIN)
        ):
            yield f"character U+{ord(char):04X} {unicodedata.name(char, '')}".rstrip()


_LATIN = ("LATIN ", "FULLWIDTH LATIN ")


def _placeholders(piece: Piece, terms: Terms) -> Iterator[str]:
    text = unicodedata.normalize("NFKC", piece.text)
    for name in PLACEHOLDER.findall(text):
        if name not in terms.placeholders:
            yield f"placeholder {{{name}}}; declared are {', '.join(terms.placeholders) or 'none'}"
    if re.search(r"[{}]", PLACEHOLDER.sub("", text)):
        yield "a brace that belongs to no placeholder"


_MARKUP = re.compile(r"<|\{\{|\{%|\{#|\]\s*\(|```|&#?\w+;|\*\*|\bjavascript:|\$\{", re.IGNORECASE)


def _markup(piece: Piece, _: Terms) -> Iterator[str]:
    for found in sorted(set(_MARKUP.findall(unicodedata.normalize("NFKC", piece.text)))):
        yield f"markup or template syntax {found!r}"


def _citations(piece: Piece, terms: Terms) -> Iterator[str]:
    offered = {fact.id for fact in terms.facts}
    for fact_id in piece.cited_fact_ids:
        if fact_id not in offered:
            yield f"cites {fact_id[:60]!r}, which was not offered"
    if not piece.cited_fact_ids:
        yield "cites no fact"


def _figures(piece: Piece, terms: Terms) -> Iterator[str]:
    covered = covered_by(_claims(piece, terms))
    for figure in figures(_without_products(piece.text, terms)):
        if figure.claim not in covered:
            yield f"{figure.found!r} is in no cited fact"


def _products(piece: Piece, terms: Terms) -> Iterator[str]:
    cited, text = plain(" ".join(fact.text for fact in terms.cited(piece))), plain(piece.text)
    for name in terms.product_names:
        if plain(name) in text and plain(name) not in cited:
            yield f"{name} is in no cited fact"


def _qualifiers(piece: Piece, terms: Terms) -> Iterator[str]:
    hedged = {(figure.claim, figure.qualifier) for figure in figures(_claims(piece, terms))}
    claims = {claim for claim, _ in hedged}
    for figure in figures(_without_products(piece.text, terms)):
        if figure.claim in claims and (figure.claim, figure.qualifier) not in hedged:
            yield f"{figure.found!r} with {figure.qualifier or 'no qualifier'!r}; no cited fact says it so"


def _claims(piece: Piece, terms: Terms) -> str:
    """The cited facts' text, each on its own, product names left out."""
    return _without_products(" · ".join(fact.text for fact in terms.cited(piece)), terms)


def _without_products(text: str, terms: Terms) -> str:
    """`text` without product names, whose numbers (Print 200) claim nothing; `_products` watches the names."""
    for name in terms.product_names:
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "·", text, flags=re.IGNORECASE)
    return text


_ADDRESS = re.compile(r"[\w.+-]{1,64}\s?(?:@|\(at\)|\[at\])\s?\w[\w-]{0,62}(?:\.\w+)*", re.IGNORECASE)
_PHONE = re.compile(r"(?<!\d)(?:\+|00)?\d(?:[\s().-]{0,2}\d){8,14}(?!\d)")


def _personal_data(piece: Piece, _: Terms) -> Iterator[str]:
    text = plain(piece.text)
    if _ADDRESS.search(text):
        yield "something like an e-mail address"
    if _PHONE.search(text):
        yield "something like a telephone number"


_LEAKS = re.compile(
    r"system prompt|language model|\bas an ai\b|\bi am an ai\b|\bi'm sorry\b|\bi cannot\b|\bmy instructions\b|</?request>"
    r"|cited_fact_ids|\bignore (?:all |any |the |your |my |previous |prior )+instructions"
    r"|\bhere is (?:the|your) (?:e-?mail|json)"
)
_LEAK_WORDS = 8  # so many words in a row from the instructions are no accident


def _leak(piece: Piece, terms: Terms) -> Iterator[str]:
    text = plain(piece.text)
    for found in sorted(set(_LEAKS.findall(text))):
        yield f"{found!r} speaks of the prompt, not to the reader"
    told = _runs(terms.instructions)
    if told & _runs(piece.text):
        yield f"{_LEAK_WORDS} words in a row are from the instructions"


def _runs(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", plain(text))
    return {tuple(words[i : i + _LEAK_WORDS]) for i in range(len(words) - _LEAK_WORDS + 1)}


def _says(patterns: tuple[str, ...]) -> Callable[[Piece, Terms], Iterator[str]]:
    compiled = re.compile(rf"(?<!\w)(?:{'|'.join(patterns)})(?!\w)")

    def check(piece: Piece, _: Terms) -> Iterator[str]:
        for found in sorted({match[0] for match in compiled.finditer(plain(piece.text))}):
            yield f"says {found!r}"

    return check


GUARDRAILS = (
    Guardrail("length", "An e-mail that nobody reads to the end, or that a CRM field cuts.", "rejected", _lengths),
    Guardrail("characters", "Invisible characters hide things; another script is another language.", "rejected",
              _characters),
    Guardrail("placeholders", "What we cannot fill would reach the reader as braces.", "rejected", _placeholders),
    Guardrail("markup", "Copy is text: markup is shown raw, or worse, run.", "rejected", _markup),
    Guardrail("citations", "Without its fact no claim can be explained.", "rejected", _citations),
    Guardrail("figures", "Numbers, prices, percentages, dates and links are never invented.", "rejected", _figures),
    Guardrail("products", "A product is named only where a cited fact speaks of it.", "rejected", _products),
    Guardrail("personal_data", "The writer never meets a person: an address in copy is made up or leaked.", "rejected",
              _personal_data),
    Guardrail("prompt_leak", "Copy speaks to the reader, not about the prompt.", "rejected", _leak),
    Guardrail("figure_not_verbatim", "“Up to 25 %” without “up to” is another claim: a person decides.", "flagged",
              _qualifiers),
    *(Guardrail(name, reason, "flagged", _says(patterns)) for name, (reason, patterns) in RESERVED.items()),
)  # fmt: skip
