"""One spelling for every way in which a text can be encoded."""

import re
import unicodedata
from fractions import Fraction
from functools import lru_cache

_SPECIAL = re.compile(r"[^ -~]")
_DIGIT_OF_ANOTHER_SCRIPT = re.compile(r"[^\D0-9]")
_UNSEEN = ("Cf", "Cc", "Me", "Cn", "Co", "Cs")
_ROMAN = re.compile(r"(?<![\w'-])(?=[IVXLCDM]{2})M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})(?![\w'])")
_ROMAN_WITH_UNIT = re.compile(
    r"(?<![\w'-])[ivxlcdm]+(?=\s*(?:%|percent|per cent|dollars?|euros?|times)(?!\w))", re.IGNORECASE
)
_ROMAN_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
_KNOWN_CAPITALS = ("CD", "DC", "MD", "MM", "MIX", "MC", "CC", "CV", "DI", "ID", "MI")  # also valid Roman numerals


@lru_cache(maxsize=32768)
def plain(text: str) -> str:
    """Lower case, one kind of space, no invisible characters, ASCII digits whatever the script."""
    text = " ".join(text.split())
    if not (text.isascii() and text.isprintable()):
        spelled = _SPECIAL.sub(lambda match: _spelled(match[0]), text)
        folded = unicodedata.normalize("NFKC", spelled)
        text = _DIGIT_OF_ANOTHER_SCRIPT.sub(lambda match: str(unicodedata.decimal(match[0])), folded)
        text = " ".join(text.replace("٪", "%").replace("’", "'").replace("−", "-").replace("‑", "-").split())
    return text.casefold()


def without_roman_numerals(text: str) -> str:
    """`text` with Roman numerals in capitals, or before a unit, as digits."""
    if not re.search(r"[IVXLCDM]{2}|[ivxlcdm]\s*(?:%|per|dollar|euro|times)", text):
        return text
    text = _ROMAN.sub(lambda match: match[0] if match[0] in _KNOWN_CAPITALS else str(_value(match[0])), text)
    return _ROMAN_WITH_UNIT.sub(lambda match: str(_value(match[0].upper())), text)


def _value(roman: str) -> int:
    values = [_ROMAN_VALUES[char] for char in roman]
    return sum(-value if value < max(values[i:]) else value for i, value in enumerate(values))


def _spelled(char: str) -> str:
    if unicodedata.category(char) in _UNSEEN and not char.isspace():
        return ""
    value = unicodedata.numeric(char, None)
    if value is not None and not char.isdecimal():
        return f" {Fraction(value).limit_denominator(1000)} "
    return char
