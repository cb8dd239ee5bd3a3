"""Dates, times of day, weekdays and deadlines."""

import re
from collections.abc import Iterator

from nurture.copywriting.figures.figure import MASK, Figure, Found
from nurture.copywriting.figures.number_words import ORDINALS

MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
          "december")  # fmt: skip

_MONTH = rf"(?P<month>{'|'.join(f'{m[:3]}(?:{m[3:]})?' if len(m) > 3 else m for m in MONTHS)}|sept)\b\.?"
_ORDINAL = rf"(?P<ordinal>{'|'.join(sorted((o for o, v in ORDINALS.items() if v < 32), key=len, reverse=True))})"
_DATES = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?<!\d)(?P<year>\d{4})-(?P<number>\d{1,2})-(?P<day>\d{1,2})(?!\d)",
        rf"(?<!\d)(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH}(?:,?\s+(?P<year>\d{{4}})(?!\d))?",
        rf"\b{_ORDINAL}\s+of\s+{_MONTH}(?:,?\s+(?P<year>\d{{4}})(?!\d))?",
        rf"\b{_MONTH}\s+(?P<day>\d{{1,2}})(?!\d)(?:st|nd|rd|th)?(?:,?\s+(?P<year>\d{{4}})(?!\d))?",
        rf"\b{_MONTH}\s+(?:the\s+)?{_ORDINAL}\b(?:,?\s+(?P<year>\d{{4}})(?!\d))?",
        rf"\b{_MONTH}\s+(?P<year>\d{{4}})(?!\d)",
        rf"\b(?:(?P<part>mid|early|late|(?:end|middle|start|beginning) of)|in|by|from|until|till|since|before"
        rf"|after|next|last)[\s-]+{_MONTH}",
        rf"\b(?P<month>{'|'.join(m for m in MONTHS if m not in ('march', 'may'))})\b",
    )
)
_NAMES_MONTH = re.compile(rf"\b(?:{'|'.join(month[:3] for month in MONTHS)})")
_CLOCK = re.compile(r"(?<!\d)(?P<hour>[01]?\d|2[0-3])[:.](?P<minute>[0-5]\d)"
                    r"(?:\s?(?P<half>[ap])\.?m\b\.?|(?=\s?(?:h\b|hrs\b|o'clock)))"
                    r"|(?<!\d)(?P<hour24>[01]?\d|2[0-3]):(?P<minute24>[0-5]\d)(?!\d)")  # fmt: skip
_WEEKDAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
_HOLIDAY = "christmas|easter|halloween|thanksgiving|new year(?:'s)?"
_OTHER_DATE = re.compile(
    r"(?<!\d)\d{1,2}[/.]\d{1,2}[/.]\d{2,4}(?!\d)|\bq[1-4]\b(?:\s+\d{4})?"
    r"|\b(?:first|second|third|fourth|last|next|this|coming)\s+(?:quarter|half[\s-]year|season)\b"
    rf"|\b(?:ends?|until|till|by|before|from|since|next|last|this|coming|black|cyber|on)\s+{_WEEKDAY}\b(?!\s+(?:morning|afternoon|evening|night)s)"
    r"|\b(?:twent|thirt|fort|fift|sixt|sevent|eight|ninet|nought)ies\b|\bturn of the (?:century|millennium|year)\b"
    r"|\bday (?:after tomorrow|before yesterday)\b"
    r"|\bmidnight\b|\b(?:until|till|by|before|from|since|on|this|next|ends?|past|through) (?:the )?"
    rf"(?:{_HOLIDAY})\b"
)
_DIGIT = re.compile(r"\d")
_HINTS = ("day", "quarter", "year", "season", "ies", "turn of", "midnight", "christmas", "easter", "halloween",
          "thanksgiving", "weekend", "tomorrow", "tonight")  # fmt: skip
"""Every other date without a digit has one of them."""
_IDLE_DATE = re.compile(rf"\b{_WEEKDAY}s?\b|\b(?:{_HOLIDAY})\b|\b(?:weekends?|tomorrow|tonight)\b")


def dates(text: str) -> Iterator[Found]:
    """Every date of `text`; a weekday without a preposition is only a `pace`."""
    taken = text
    for pattern in _DATES if _NAMES_MONTH.search(text) else _DATES[:1]:
        for match in list(pattern.finditer(taken)):
            yield Figure("date", _date(match), qualifier=_part(match)), match.start(), match.end()
            taken = _without(taken, match)
    has_digit = _DIGIT.search(taken) is not None
    for match in list(_CLOCK.finditer(taken)) if has_digit else ():
        yield _time(match), match.start(), match.end()
        taken = _without(taken, match)
    if not has_digit and not any(hint in taken for hint in _HINTS):
        return
    for match in list(_OTHER_DATE.finditer(taken)):
        yield Figure("date", match[0]), match.start(), match.end()
        taken = _without(taken, match)
    for match in _IDLE_DATE.finditer(taken):
        yield Figure("pace", match[0].rstrip("s")), match.start(), match.end()


def _without(text: str, match: re.Match[str]) -> str:
    return text[: match.start()] + MASK * (match.end() - match.start()) + text[match.end() :]


def _date(match: re.Match[str]) -> str:
    part = match.groupdict()
    month = int(part["number"]) if part.get("number") else _month(part["month"])
    day = ORDINALS[part["ordinal"]] if part.get("ordinal") else int(part["day"]) if part.get("day") else None
    return f"{part.get('year') or '-'}-{month:02d}" + (f"-{day:02d}" if day else "")


def _part(match: re.Match[str]) -> str:
    """Which part of the month, if it says one."""
    part = match.groupdict().get("part") or ""
    return {"middle of": "mid", "start of": "early", "beginning of": "early", "end of": "late"}.get(part, part)


def _month(name: str) -> int:
    return next(number for number, month in enumerate(MONTHS, 1) if month.startswith(name[:3]))


def _time(match: re.Match[str]) -> Figure:
    """A time of day, as `6 am` is written elsewhere."""
    hour, minute = int(match["hour"] or match["hour24"]), match["minute"] or match["minute24"]
    half = f"{match['half']}m" if match["half"] else "pm" if hour >= 12 else "am"
    hour = hour - 12 if hour > 12 else hour or 12
    return Figure("number", str(hour) if minute == "00" else f"{hour}:{minute}", half)
