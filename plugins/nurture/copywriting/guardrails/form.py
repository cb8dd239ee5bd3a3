"""Guardrails on the form: length, characters, placeholders, markup."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator

from nurture.copywriting.assembly import PLACEHOLDER
from nurture.copywriting.figures import plain
from nurture.copywriting.guardrails.draft import Draft
from nurture.copywriting.shapes import part_of


def lengths(draft: Draft) -> Iterator[str]:
    limits, parts = draft.terms.limits, Counter(map(part_of, draft.piece.texts))
    for part in sorted(set(parts) - set(limits)):
        yield f"{part[:60]} is no part; parts are {', '.join(limits)}"
    for part, limit in limits.items():
        if parts[part] != (limit.items or 1):
            yield f"{part} has {parts[part]} texts; expected {limit.items or 1}"
    for name, text in draft.piece.texts.items():
        if (allowed := limits.get(part_of(name))) is None:
            continue
        words = len(text.split())
        if words > allowed.max_words or len(text) > allowed.max_characters or words < (allowed.min_words or 1):
            yield (
                f"{name} has {words} words and {len(text)} characters; from {allowed.min_words or 1} to "
                f"{allowed.max_words} words and at most {allowed.max_characters} characters"
            )


_LATIN = ("LATIN ", "FULLWIDTH LATIN ")
_SIGNS = "©®™°"
_SPACED = re.compile(r"(?<![\w'])(?:[^\W\d_][ ._*~|/-]{1,2}){3,}[^\W\d_](?![\w'])")
_BROKEN = re.compile(r"[^\W\d_][*_~|^\\][^\W\d_]")
_ABBREVIATIONS = re.compile(r"\b(?:a\.m|p\.m|e\.g|i\.e|u\.s|u\.k|p\.s)\b", re.IGNORECASE)


def characters(draft: Draft) -> Iterator[str]:
    text = draft.piece.text
    for char in sorted(set(text)):
        if char.isascii() and (char.isprintable() or char == "\n"):
            continue
        category = unicodedata.category(char)
        if (
            (category[0] == "C" and char != "\n")
            or (category[0] == "L" and not unicodedata.name(char, "").startswith(_LATIN))
            or (category in ("So", "Sk", "Me") and char not in _SIGNS)
        ):
            yield f"character U+{ord(char):04X} {unicodedata.name(char, '')}".rstrip()
    for found in _SPACED.findall(_ABBREVIATIONS.sub("", text)):
        yield f"letters set apart: {found!r}"
    for found in _BROKEN.findall(PLACEHOLDER.sub("", text)):
        yield f"a sign inside a word: {found!r}"


def placeholders(draft: Draft) -> Iterator[str]:
    text, declared = unicodedata.normalize("NFKC", draft.piece.text), draft.terms.placeholders
    for name in PLACEHOLDER.findall(text):
        if name not in declared:
            yield f"placeholder {{{name}}}; declared are {', '.join(declared) or 'none'}"
    if re.search(r"[{}]", PLACEHOLDER.sub("", text)):
        yield "a brace that belongs to no placeholder"


_MARKUP = re.compile(
    r"<|`|\{\{|\{%|\{#|\]\s*\(|\]\s*\[|```|&#?\w+;|\*\*|__|\bjavascript:|\bdata:\w|\$\{|^\s*#+\s|%[a-z_]+%"
    r"|[|\\^]|~(?!\s?\d)|@@|^\s*>|\[/?\w+[\]=]",
    re.IGNORECASE | re.MULTILINE,
)


def markup(draft: Draft) -> Iterator[str]:
    for found in sorted(set(_MARKUP.findall(unicodedata.normalize("NFKC", draft.piece.text)))):
        yield f"markup or template syntax {found.strip()!r}"


_ADDRESS = re.compile(r"[\w.+-]{1,64}\s?(?:@|\(at\)|\[at\])\s?\w[\w-]{0,62}(?:\.\w+)*", re.IGNORECASE)
_SPOKEN_ADDRESS = re.compile(
    r"\bto (?:hello|hi|info|sales|contact|support|office|mail|team|me) at \w+",
    re.IGNORECASE,
)
_AT = re.compile(r"@|\(at\)|\[at\]")
_PHONE = re.compile(r"(?<!\d)(?:\+|00)?\d(?:[\s().-]{0,2}\d){8,14}(?!\d)")
_STREET = re.compile(r"\b\d{1,4}\s+(?:\w+\s){1,2}(?:street|road|avenue|lane|drive)\b|\b\w+(?:straße|strasse)\s+\d")
_TITLED = re.compile(r"\b(?:mr|mrs|ms|mx|dr|prof)\.?\s+[a-z]")


def personal_data(draft: Draft) -> Iterator[str]:
    text = plain(draft.piece.text)
    for pattern, what in (
        (_ADDRESS if _AT.search(text) else None, "an e-mail address or handle"),
        (_SPOKEN_ADDRESS, "an e-mail address or handle"), (_PHONE, "a telephone or account number"),
        (_STREET, "a postal address"),
        (_TITLED, "a person's name"),
    ):  # fmt: skip
        if pattern and pattern.search(text):
            yield f"something like {what}"
