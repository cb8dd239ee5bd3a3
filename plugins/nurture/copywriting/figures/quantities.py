"""Numbers in digits and words, with unit, hedge and rate."""

import re
from collections.abc import Iterator
from decimal import Decimal

from nurture.copywriting.figures.figure import Figure, Found
from nurture.copywriting.figures.number_words import NUMBER_WORDS, value_of_words
from nurture.copywriting.figures.units import (
    CURRENCY_CODES,
    CURRENCY_SIGNS,
    CURRENCY_WORDS,
    GLUED_UNITS,
    HEDGES,
    HEDGES_AFTER,
    MAGNITUDES,
    PERIODS,
    SIGNS,
    TIME_UNITS,
    one_of,
)

_NUMERAL = r"\d+(?:[.,' ]\d{3}(?!\d))*(?:[.,]\d+)?"
_WORDS = rf"(?:{one_of(NUMBER_WORDS)})"
_NUMBER_RUN = rf"\b{_WORDS}(?:[\s-]+(?:and\s+)?{_WORDS})*\b"
_BEFORE = rf"(?P<before>(?:\b[a-z]{{1,3}})?[{SIGNS}]\s*|\b(?:{'|'.join(CURRENCY_CODES)})\s*|%\s*)?"
_MAGNITUDE = rf"(?:[\s-]?(?P<magnitude>{one_of(MAGNITUDES)})s?\b)?"
_AFTER = (
    r"(?:[\s-]*(?P<after>%|‰|percent(?:age)?(?:\s?points?)?\b|per[\s-]?cent\b|pct\b|p\.c\.|pp\b|x\b|×|times\b|folds?\b"
    rf"|[{SIGNS}]|(?:{'|'.join([*CURRENCY_CODES, *CURRENCY_WORDS])})s?\b|(?:st|nd|rd|th)\b"
    rf"|(?:o'clock\s+)?(?:(?<=half\s)an?\s|working\s|business\s|full\s|whole\s)?(?:{one_of(TIME_UNITS)})s?(?![a-z])))?"
)
_HALF = (
    r"\bhal(?:f|ve[sd]?|ving)\b(?!\s+the\s+(?:battle|story|truth|picture|answer|fun|trick|art)\b"
    r"|[\s-](?:empty|full|way|open|shut|dark|awake|asleep|heard|built|read|lost|dead|right|wrong|the time\b)"
    r"|[\s-](?!price|reduc|discount|charg|bill|paid|need|use)\w+(?:ed|tten|rn|ne|den)\b)"
)
"""Half of something; half open and half forgotten are states of the world."""

_IDLE_TWO = (
    r"(?!\b(?:two|three) (?:(?:more|other|short|quick|small|simple|last) )?"
    r"(?:questions|things|words|lines|thoughts|notes|sentences)\b)"
)
_QUANTITY = re.compile(rf"{_IDLE_TWO}{_BEFORE}(?P<number>\d+/\d+|{_NUMERAL}|{_NUMBER_RUN}|{_HALF}){_MAGNITUDE}{_AFTER}")
_HEDGE = re.compile(rf"(?:\b(?P<words>{one_of(set(HEDGES) - {'~'})})\s+(?:an?\s+|the\s+|just\s+|only\s+)?|(?P<sign>~)\s*)$")
_HEDGE_AFTER = re.compile(rf"\s*(?:\w+\s+)?(?P<words>{one_of(HEDGES_AFTER)})(?!\w)")
_RANGE = re.compile(r"\s*(?:-|–|—|to|and|or|through|until|till)\s*")
_PERIOD = one_of(PERIODS)
_PER_AFTER = re.compile(
    rf"(?:(?!\b(?:that|which|who)\b)[^.·,;:!?\d]){{0,28}}?(?:\b(?:an?|per|each|every)[\s-]+(?:single\s+)?|/\s?"
    rf"|[\s-])(?P<period>{_PERIOD})\b"
)
_PER_BEFORE = re.compile(rf"\W*(?:\w+\s){{0,2}}?(?:an?|per|each|every)[\s-]+(?:single\s+)?(?P<period>{_PERIOD})\b[^\d]*$")
_BEFORE_NOUN = re.compile(r"\b(?:through|thanks to|by|with|from|via|after|in|of) (?:the |their |its )?\w+ly$")
"""Not "38% a week" but "38% through weekly counts"."""
_ELLIPTIC = frozenset({"second", "minute", "hour", "day", "week", "month"})
_ENDS_CLAUSE = re.compile(r"\s*(?:[.;,!?·]|$)")
_TAKES = re.compile(r"\b(?:takes?|took|within|in|(?:down|up) from|instead of) $")
LEFT_OUT = "?"
"""The unit of a number whose unit of time was said before: "it takes 7"."""
_LEFTOVER = re.compile(
    rf"\d+|[{SIGNS}]|[%‰]|percent|\b(?:an?|another|each|every|extra|single)"
    rf" (?:(?:good|mere|whole) )?(?:dollar|cent|euro|buck|quid|penny|pound)\b"
    rf"|\b{_WORDS}(?:{'|'.join([*NUMBER_WORDS, *GLUED_UNITS])})+s?\b"
)


def quantities(text: str) -> Iterator[Found]:
    """Numbers in digits and words, with their units; in a range, both ends get the unit."""
    matches = [match for match in _QUANTITY.finditer(text) if not _is_idle_one(match)]
    units = [_unit(match) for match in matches]
    in_range = set()
    for i in range(len(matches) - 1):
        if _RANGE.fullmatch(text[matches[i].end() : matches[i + 1].start()]):
            units[i] = units[i] or units[i + 1]
            units[i + 1] = units[i + 1] or units[i]
            in_range |= {i, i + 1}
        elif not units[i + 1] and units[i] in _ELLIPTIC and _ENDS_CLAUSE.match(text, matches[i + 1].end()):
            units[i + 1] = units[i]  # "in 7 minutes; it used to take 12"
    for i, (match, unit) in enumerate(zip(matches, units, strict=True)):
        if (
            not unit
            and len(match["number"]) < 3
            and not match["before"]
            and _TAKES.search(text[max(0, match.start() - 14) : match.start()])
            and _ENDS_CLAUSE.match(text, match.end())
        ):
            unit = LEFT_OUT
        hedge = "" if i in in_range else hedge_around(text, match.start(), match.end(), unit)
        for value in _values(match):
            yield Figure("number", value, unit, hedge, _per(text, match, unit)), match.start(), match.end()


def leftovers(text: str) -> Iterator[Found]:
    """A digit, a currency or percent sign, or glued number words (`twentyfive`), understood by nothing else."""
    for match in _LEFTOVER.finditer(text):
        yield Figure("word", match[0]), match.start(), match.end()


def _is_idle_one(match: re.Match[str]) -> bool:
    """`one` without a unit counts nothing: "no one", "the wrong one"."""
    return match["number"] == "one" and not (match["before"] or match["magnitude"] or match["after"])


def hedge_around(text: str, start: int, end: int, unit: str) -> str:
    """What hedges the number between `start` and `end`, before or after it."""
    if found := _HEDGE.search(text[max(0, start - 24) : start]):
        hedge = HEDGES[found["words"] or found["sign"]]
        if hedge != "to" or unit == "%" or unit.isupper():
            return hedge
    if found := _HEDGE_AFTER.match(text[end : end + 24]):
        return HEDGES_AFTER[found["words"]]
    return ""


def _per(text: str, match: re.Match[str], unit: str) -> str:
    """The unit of time by which an amount is counted; dates, times of day and the unit itself are none."""
    if unit in ("am", "pm", "th", "day", "month", "year"):
        return ""
    if match["before"] and (period := (match["after"] or "").rstrip("s")) in PERIODS:
        return PERIODS[period]
    if found := _PER_AFTER.match(text[match.end() : match.end() + 60]):
        is_adjective = found["period"].endswith("ly") and (
            bool(_BEFORE_NOUN.search(found[0])) or (not unit and len(found[0].split()) == 1)  # "9 weekly reports"
        )
        return "" if is_adjective or PERIODS[found["period"]] == unit else PERIODS[found["period"]]
    if unit not in ("", "%", "times") and (
        found := _PER_BEFORE.match(re.split(r"[.·!?]", text[max(0, match.start() - 120) : match.start()])[-1])
    ):
        period = PERIODS[found["period"]]
        return period if period != unit else ""
    return ""


def _unit(match: re.Match[str]) -> str:
    before, after = (match["before"] or "").strip(), (match["after"] or "").strip()
    if "%" in (before, after) or after.startswith(("perc", "per c", "per-c", "pct", "pp", "p.c")):
        return "%"
    if before:
        return CURRENCY_SIGNS.get(before, before.upper())
    if after in ("x", "×", "times", "fold", "folds"):
        return "times"
    if after in CURRENCY_SIGNS:
        return CURRENCY_SIGNS[after]
    if after in ("st", "nd", "rd", "th"):
        return "th"
    word = re.sub(r"^(?:o'clock\s+)?(?:(?:an?|working|business|full|whole)\s)?", "", after)
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
