"""Length limits as a prompt may state them, read leniently: any key that names the part and the unit."""

from dataclasses import dataclass
from typing import Any

PARTS = ("headline", "body", "cta")


@dataclass(frozen=True)
class Limit:
    """The most words and characters that one part may have; None is unlimited."""

    words: int | None = None
    characters: int | None = None

    @property
    def is_open(self) -> bool:
        return self.words is None and self.characters is None

    def allows(self, text: str, *, most_words: int | None = None) -> bool:
        """Whether `text` fits, and has at most `most_words` besides."""
        words = len(text.split())
        return (
            (self.words is None or words <= self.words)
            and (self.characters is None or len(text) <= self.characters)
            and (most_words is None or words <= most_words)
        )

    def cut(self, text: str) -> str:
        """As many leading words of `text` as fit."""
        words = text.split()
        while words and not self.allows(" ".join(words)):
            words.pop()
        return " ".join(words) or text[: self.characters]


def limits_of(stated: Any) -> dict[str, Limit]:
    """The limit of each part, from e.g. `{"headline": {"max_chars": 60}, "body_words": [60, 120], "max_words": 120}`.

    A list states a range, of which the upper end counts; a key that names no part is the body's.
    """
    found: dict[str, dict[str, int]] = {part: {} for part in PARTS}
    for path, value in _flat(stated, ""):
        part = next((part for part in PARTS if part in path), "body")
        unit = "words" if "word" in path else "characters" if "char" in path else None
        if unit and "min" not in path:
            found[part][unit] = min(value, found[part].get(unit, value))
    return {part: Limit(**units) for part, units in found.items()}


def _flat(value: Any, path: str) -> list[tuple[str, int]]:
    if isinstance(value, dict):
        return [item for key, inner in value.items() for item in _flat(inner, f"{path}.{key}".lower())]
    if isinstance(value, list) and value:
        return _flat(value[-1], path)
    return [(path, int(value))] if isinstance(value, int | float) and not isinstance(value, bool) and value > 0 else []
