"""Filling the placeholders of finished copy, locally, at the push. No template language touches a person's data."""

import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from pydantic import Field

from nurture.paths import PROMPTS
from nurture.strict_yaml import Strict, read_strict

PLACEHOLDERS = PROMPTS / "placeholders.yaml"
LONGEST_VALUE = 80  # characters of one filled-in value

NO_NAME = re.compile(r"[<>{}@]|://|www\.|[^\s.]\.[^\s.]{2,}", re.IGNORECASE)
"""Markup, template code, an address or what a mail program makes a link of: people type anything into a web form."""

PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")


class Placeholder(Strict):
    """What may stand in for `{name}`.

    Attributes:
        fallback: used when the value is missing or empty.
        words: when given, only these values are used, in these words; any other value counts as missing.
        has_digits: whether a value may hold digits; without, one that does counts as missing.
        longest: characters; a longer value counts as missing.
    """

    fallback: str
    words: dict[str, str] = Field(default_factory=dict)
    has_digits: bool = False
    longest: int = Field(default=LONGEST_VALUE, gt=0)


class Placeholders(Strict):
    placeholders: dict[str, Placeholder]


@cache
def load_placeholders(path: Path = PLACEHOLDERS) -> dict[str, Placeholder]:
    """Read the placeholders that exist.

    Raises:
        ConfigError: the file is missing or wrong.
    """
    return read_strict(path, Placeholders).placeholders


def fill(text: str, values: Mapping[str, str | None]) -> str:
    """Replace each known `{placeholder}` of `text` by its value, in one pass: a value is never looked at again.

    A value that is missing, empty or no name (`NO_NAME`, digits, too long) becomes the placeholder's fallback. Values lose
    control characters and line breaks and are cut to 80 characters. Braces around anything else stay as they are.
    """
    known = load_placeholders()

    def value_of(match: re.Match[str]) -> str:
        placeholder = known.get(match[1])
        if placeholder is None:
            return match[0]
        value = _plain(values.get(match[1]))
        if not _is_name(value, placeholder):
            return placeholder.fallback
        if placeholder.words:
            value = placeholder.words.get(value.casefold().replace(" ", "_").replace("-", "_"), "")
        return value or placeholder.fallback

    return PLACEHOLDER.sub(value_of, text)


def _is_name(value: str, placeholder: Placeholder) -> bool:
    """Whether `value` may stand in our copy; look-alikes such as full-width signs count as what they look like."""
    seen = unicodedata.normalize("NFKC", value)
    if NO_NAME.search(seen) or len(value) > placeholder.longest:
        return False
    return placeholder.has_digits or not any(char.isnumeric() for char in seen)


def _plain(value: str | None) -> str:
    """One line without control, format, private or unpaired surrogate characters, at most `LONGEST_VALUE` long."""
    head = (value or "")[: 4 * LONGEST_VALUE]
    spaced = "".join(" " if char.isspace() else char for char in head)
    kept = "".join(char for char in spaced if unicodedata.category(char)[0] != "C")
    return " ".join(kept.split())[:LONGEST_VALUE].rstrip()
