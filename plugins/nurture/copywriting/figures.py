"""Finding every figure in a text: numbers, prices, percentages, dates, links, and words that mean one.

Two spellings of one figure (`1,000` and `1000`, `30 %` and `thirty percent`, `49.00 dollars` and `$49`, digits of any
script) come out equal, so that copy can be held against the facts. Where a spelling has two readings, both come out
and both must be covered: the check errs towards refusing.
"""

import re
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from nurture.copywriting.number_words import NUMBER_WORDS, value_of_words


@dataclass(frozen=True)
class Figure:
    """One figure.

    Attributes:
        kind: number, date, link or word.
        value: canonical, e.g. `1000`, `1/2`, `2026-03-12`, `--03-12` (no year), `larkfield.example`, `free`.
        unit: `%`, `times`, an ISO currency, a unit of time, or nothing.
        qualifier: what hedges it, e.g. `up to`.
        found: as it stands in the text.
    """

    kind: str
    value: str
    unit: str = ""
    qualifier: str = ""
    found: str = ""

    @property
    def claim(self) -> tuple[str, str, str]:
        """What must be covered by a fact."""
        return self.kind, self.value, self.unit


CURRENCY_SIGNS = {"$": "USD", "us$": "USD", "c$": "CAD", "ca$": "CAD", "a$": "AUD", "au$": "AUD", "€": "EUR", "£": "GBP",
                  "¥": "JPY", "₹": "INR"}  # fmt: skip
CURRENCY_WORDS = {"dollar": "USD", "buck": "USD", "euro": "EUR", "pound": "GBP", "quid": "GBP", "yen": "JPY", "rupee": "INR",
                  "franc": "CHF", "cent": "cent", "penny": "cent", "pence": "cent"}  # fmt: skip
CURRENCY_CODES = ("usd", "eur", "gbp", "chf", "cad", "aud", "jpy", "inr", "sek", "nok", "dkk", "pln", "cny")
MAGNITUDES = {"k": 10**3, "thousand": 10**3, "m": 10**6, "mn": 10**6, "million": 10**6, "bn": 10**9, "billion": 10**9,
              "hundred": 100, "dozen": 12}  # fmt: skip
TIME_UNITS = {"second": "second", "sec": "second", "minute": "minute", "min": "minute", "hour": "hour", "hr": "hour",
              "day": "day", "week": "week", "month": "month", "year": "year", "yr": "year", "am": "am", "pm": "pm",
              "a.m.": "am", "p.m.": "pm"}  # fmt: skip
QUALIFIERS = {"up to": "up to", "as much as": "up to", "as many as": "up to", "at most": "up to", "from": "from",
              "starting at": "from", "as little as": "from", "at least": "from", "over": "over", "more than": "over",
              "under": "under", "less than": "under", "fewer than": "under", "within": "under", "about": "about",
              "around": "about", "roughly": "about", "nearly": "about", "almost": "about"}  # fmt: skip
MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
          "december")  # fmt: skip

_SIGNS = "".join(re.escape(chr(c)) for c in range(min(sys.maxunicode, 0xFFFF)) if unicodedata.category(chr(c)) == "Sc")
_NUMERAL = r"\d+(?:[.,' ]\d{3}(?!\d))*(?:[.,]\d+)?"
_WORDS = rf"(?:{'|'.join(sorted(NUMBER_WORDS, key=len, reverse=True))})"
_NUMBER_RUN = rf"\b{_WORDS}(?:[\s-]+(?:and\s+)?{_WORDS})*\b"
_BEFORE = rf"(?P<before>(?:\b(?:us|ca?|au?))?[{_SIGNS}]\s*|\b(?:{'|'.join(CURRENCY_CODES)})\s*|%\s*)?"
_MAGNITUDE = rf"(?:[\s-]?(?P<magnitude>{'|'.join(MAGNITUDES)})s?\b)?"
_AFTER = (
    r"(?:[\s-]*(?P<after>%|‰|percent(?:age points?)?\b|per cent\b|pct\b|pp\b|x\b|×|times\b|folds?\b"
    rf"|[{_SIGNS}]|(?:{'|'.join([*CURRENCY_CODES, *CURRENCY_WORDS])})s?\b"
    rf"|(?:an?\s)?(?:{'|'.join(re.escape(unit) for unit in TIME_UNITS)})s?(?![a-z])))?"
)
_QUANTITY = re.compile(
    rf"{_BEFORE}(?P<number>\d+/\d+|{_NUMERAL}|{_NUMBER_RUN}|\bhal(?:f|ve[sd]?|ving)\b){_MAGNITUDE}{_AFTER}"
)
_QUALIFIER = re.compile(rf"\b({'|'.join(QUALIFIERS)})\s+(?:an?\s+|the\s+)?$")
_RANGE = re.compile(r"\s*(?:-|–|—|to|and|or|through)\s*")

_MONTH = rf"(?P<month>{'|'.join(f'{m[:3]}(?:{m[3:]})?' if len(m) > 3 else m for m in MONTHS)}|sept)\b\.?"
_DATES = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?<!\d)(?P<year>\d{4})-(?P<number>\d{1,2})-(?P<day>\d{1,2})(?!\d)",
        rf"(?<!\d)(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH}(?:,?\s+(?P<year>\d{{4}})(?!\d))?",
        rf"\b{_MONTH}\s+(?P<day>\d{{1,2}})(?!\d)(?:st|nd|rd|th)?(?:,?\s+(?P<year>\d{{4}})(?!\d))?",
        rf"\b{_MONTH}\s+(?P<year>\d{{4}})(?!\d)",
        rf"\b(?:in|by|until|till|since|before|after|next|last|end of|mid)[\s-]+{_MONTH}",
        rf"\b(?P<month>{'|'.join(m for m in MONTHS if m not in ('march', 'may'))})\b",
    )
)
_OTHER_DATE = re.compile(
    r"(?<!\d)\d{1,2}[/.]\d{1,2}[/.]\d{2,4}(?!\d)|\bq[1-4]\b(?:\s+\d{4})?|(?<!\d)\d{1,2}:\d{2}(?!\d)"
    r"|\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b|\btomorrow\b|\btonight\b|\bmidnight\b|\bweekend\b"
)
_LINK = re.compile(
    r"\b(?:https?|ftp)\s*:\s*/+\s*\S+|\bwww\.\S+|\b(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,9}[a-z]{2,24}\b(?:/\S*)?"
)
_CLOCK_WORDS = ("a.m", "p.m", "e.g", "i.e")
_FIXED_WORDS = (
    (re.compile(r"\b(?:twice|doubl(?:e|es|ed|ing)|twofold)\b(?![\s-]+(?:check|entry|entries))"), "number", "2", "times"),
    (re.compile(r"\b(?:tripl(?:e|es|ed|ing)|threefold|thrice|treble[sd]?)\b"), "number", "3", "times"),
    (re.compile(r"\b(?:quadrupl(?:e|es|ed|ing)|fourfold)\b"), "number", "4", "times"),
    (re.compile(r"\btenfold\b"), "number", "10", "times"),
    (re.compile(r"\b(?:a|one)[\s-]+third\b(?!\s+part)"), "number", "1/3", ""),
    (re.compile(r"\btwo[\s-]+thirds\b"), "number", "2/3", ""),
    (re.compile(r"\b(?:a|one)\s+quarter\s+of\b"), "number", "1/4", ""),
    (re.compile(r"\bthree[\s-]+quarters\b"), "number", "3/4", ""),
    (re.compile(r"\b(?:dozens|scores|hundreds|thousands|millions|billions)\b"), "word", "", ""),
    (re.compile(r"\b[a-z]+-free\b"), "word", "", ""),
    (
        re.compile(
            r"(?<!feel )(?<!-)\bfree\b(?! up)|\bfreebies?\b|\bcomplimentary\b|\bgratis\b|\bon the house\b|\bcosts? nothing\b"
            r"|\b(?:no|without|zero|free of)\s+(?:extra\s+|additional\s+)?(?:costs?|charges?|fees?)\b"
        ),
        "word", "free", "",
    ),
)  # fmt: skip


def figures(text: str) -> list[Figure]:
    """Every figure of `text`, in no order. A spelling with two readings gives two figures."""
    rest, found = plain(text), []
    for find in (_links, _dates, _fixed_words, _quantities, _leftovers):
        for figure, start, end in list(find(rest)):
            found.append(replace(figure, found=rest[start:end].strip()))
            rest = rest[:start] + "·" * (end - start) + rest[end:]
    return found


def covered_by(facts: str) -> set[tuple[str, str, str]]:
    """The claims that `facts` cover: its figures, and its dates with the year or the day left out."""
    covered = set()
    for figure in figures(facts):
        covered.add(figure.claim)
        if match := re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)", figure.value):
            covered |= {("date", value, "") for value in (f"{match[1]}-{match[2]}", f"--{match[2]}-{match[3]}")}
        if match := re.fullmatch(r"(?:\d{4}|-)-(\d\d)(?:-\d\d)?", figure.value):
            covered.add(("date", f"--{match[1]}", ""))
    return covered


def plain(text: str) -> str:
    """Lower case, one kind of space, no invisible characters, ASCII digits whatever the script."""
    text = " ".join(text.split())
    if not (text.isascii() and text.isprintable()):
        spelled = "".join(_spelled(char) for char in text)
        folded = unicodedata.normalize("NFKC", spelled)
        text = "".join(str(unicodedata.decimal(char)) if char.isdecimal() else char for char in folded)
        text = " ".join(text.replace("٪", "%").replace("’", "'").replace("−", "-").replace("‑", "-").split())
    return text.casefold()


def _spelled(char: str) -> str:
    category = unicodedata.category(char)
    if category in ("Cf", "Cc", "Me", "Cn", "Co", "Cs") and not char.isspace():
        return ""
    value = unicodedata.numeric(char, None)
    if value is not None and not char.isdecimal():
        return f" {Fraction(value).limit_denominator(1000)} "
    return char


def _links(text: str) -> Iterator[tuple[Figure, int, int]]:
    for match in _LINK.finditer(text):
        bare = re.sub(r"^(?:https?|ftp)\s*:\s*/+\s*", "", match[0]).removeprefix("www.").rstrip("/.,;:!?)\"'")
        if bare not in _CLOCK_WORDS:
            yield Figure("link", bare), match.start(), match.end()


def _dates(text: str) -> Iterator[tuple[Figure, int, int]]:
    taken = text
    for pattern in _DATES:
        for match in list(pattern.finditer(taken)):
            part = match.groupdict()
            month = int(part["number"]) if part.get("number") else _month(part["month"])
            value = f"{part.get('year') or '-'}-{month:02d}" + (f"-{int(part['day']):02d}" if part.get("day") else "")
            yield Figure("date", value), match.start(), match.end()
            taken = taken[: match.start()] + "·" * (match.end() - match.start()) + taken[match.end() :]
    for match in _OTHER_DATE.finditer(taken):
        yield Figure("date", match[0].rstrip("s") if match[0].isalpha() else match[0]), match.start(), match.end()


def _month(name: str) -> int:
    return next(number for number, month in enumerate(MONTHS, 1) if month.startswith(name[:3]))


def _fixed_words(text: str) -> Iterator[tuple[Figure, int, int]]:
    for pattern, kind, value, unit in _FIXED_WORDS:
        for match in pattern.finditer(text):
            yield Figure(kind, value or match[0], unit), match.start(), match.end()


def _quantities(text: str) -> Iterator[tuple[Figure, int, int]]:
    """Numbers in digits and words, with their units; in a range, both ends get the unit."""
    matches = [match for match in _QUANTITY.finditer(text) if not _is_idle_one(match)]
    units = [_unit(match) for match in matches]
    for i in range(len(matches) - 1):
        if _RANGE.fullmatch(text[matches[i].end() : matches[i + 1].start()]):
            units[i] = units[i] or units[i + 1]
            units[i + 1] = units[i + 1] or units[i]
    for match, unit in zip(matches, units, strict=True):
        qualifier = _QUALIFIER.search(text[max(0, match.start() - 24) : match.start()])
        for value in _values(match):
            figure = Figure("number", value, unit, QUALIFIERS[qualifier[1]] if qualifier else "")
            yield figure, match.start(), match.end()


_LEFTOVER = re.compile(
    rf"\d+|[{_SIGNS}]|[%‰]|percent"
    rf"|\b{_WORDS}(?:{'|'.join([*NUMBER_WORDS, 'k', 'm', 'x', 'percent', 'fold', *CURRENCY_WORDS, *TIME_UNITS])})+s?\b"
)


def _leftovers(text: str) -> Iterator[tuple[Figure, int, int]]:
    """A digit, a currency or percent sign, or glued number words (`twentyfive`), understood by nothing above."""
    for match in _LEFTOVER.finditer(text):
        yield Figure("word", match[0]), match.start(), match.end()


def _is_idle_one(match: re.Match[str]) -> bool:
    """`one` without a unit counts nothing: "no one", "the wrong one"."""
    return match["number"] == "one" and not (match["before"] or match["magnitude"] or match["after"])


def _unit(match: re.Match[str]) -> str:
    before, after = (match["before"] or "").strip(), (match["after"] or "").strip()
    if "%" in (before, after) or after.startswith(("perc", "per c", "pct", "pp")):
        return "%"
    if before:
        return CURRENCY_SIGNS.get(before, before.upper())
    if after in ("x", "×", "times", "fold", "folds"):
        return "times"
    if after in CURRENCY_SIGNS:
        return CURRENCY_SIGNS[after]
    word = re.sub(r"^an?\s", "", after)
    singular = word if word in TIME_UNITS else word.rstrip("s")
    if singular in CURRENCY_CODES:
        return singular.upper()
    return CURRENCY_WORDS.get(singular) or TIME_UNITS.get(singular) or word


def _values(match: re.Match[str]) -> set[str]:
    number, magnitude = match["number"], MAGNITUDES.get(match["magnitude"] or "", 1)
    if number.startswith("hal"):
        readings: set[Decimal | str] = {"1/2"}
    elif "/" in number:
        readings = {number}
    elif number[0].isdigit():
        readings = set(_readings(number))
    else:
        readings = {Decimal(value_of_words(number))}
    return {_canonical(value * magnitude) if isinstance(value, Decimal) else value for value in readings}


def _readings(numeral: str) -> set[Decimal]:
    """What a numeral can mean: `1,000` a thousand, `1,5` one and a half, `1.000` either."""
    parts, signs = re.split(r"[.,' ]", numeral), re.findall(r"[.,' ]", numeral)
    whole = Decimal("".join(parts))
    if not signs or signs[-1] not in ".,":
        return {whole}
    with_decimals = Decimal(f"{''.join(parts[:-1])}.{parts[-1]}")
    if len(parts[-1]) != 3 or len(parts[0]) > 3 or parts[0].startswith("0"):
        return {with_decimals}
    if len(signs) > 1:
        return {whole} if signs[-1] == signs[-2] else {with_decimals}
    return {whole} if signs[-1] == "," else {whole, with_decimals}


def _canonical(value: Decimal) -> str:
    text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.lstrip("0") or "0"
