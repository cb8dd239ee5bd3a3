"""Links, and words that mean a figure: twice, a third, free, overnight."""

import re
from collections.abc import Iterator

from nurture.copywriting.figures.figure import Figure, Found
from nurture.copywriting.figures.number_words import DENOMINATORS, NUMBER_WORDS, ORDINALS
from nurture.copywriting.figures.quantities import hedge_around
from nurture.copywriting.figures.units import PERIODS, one_of

_LINK = re.compile(
    r"\b(?:https?|ftp)\s*:\s*/+\s*\S+|\bwww\.\S+"
    r"|\b(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,9}[a-z]{2,24}\b(?:/\S*)?"
    r"|\b[a-z0-9-]{2,63}\s?(?:\(dot\)|\[dot\]|\sdot\s)\s?[a-z]{2,10}\b"
)
_NO_LINKS = ("a.m", "p.m", "e.g", "i.e", "p.s", "p.c")

_ENUMERATES = re.compile(r"\b(?:another|a second)\b[^.!?·]*[ ,](?!by )\w*\W*$")
"""What "a third" after it is: the next of several, no share."""
_COUNTS = rf"(?:an?|one|{'|'.join(word for word, value in NUMBER_WORDS.items() if 1 < value < 10)})"
_FRACTION = re.compile(
    rf"\b(?P<top>{_COUNTS})[\s-]+(?P<kind>(?:good|solid|full|whole|small|mere|further|large)\s+)?"
    rf"(?P<bottom>{'|'.join(sorted(DENOMINATORS, key=len, reverse=True))})s?\b"
    r"(?![\s-]+(?:part|man|person|time|pair|hour|option|shift|choice|way|day|year|week|month|opinion|version|answer"
    r"|question|one|try"
    r"|attempt|party|colleague|system|list|shelf|box|parcel|order|bench|site|van|printer|scanner|phone|cup|coffee"
    r"|name|reason|thing|place|drawer|window|screen|room|hall"
    r"|word|note|letter|e-?mail|call|meeting|morning|evening|night|floor|aisle|door|copy|look|glance|person|voice"
    r"|hand|eye|ear))"
)
_RATIO = re.compile(
    rf"\b(?P<top>{_COUNTS})\s+(?:in|out\s+of|(?<!one )of)\s+(?:every\s+)?(?P<bottom>{'|'.join(NUMBER_WORDS)})\b"
)
_LATE_ORDINAL = re.compile(rf"\b(?:{one_of(word for word, value in ORDINALS.items() if value > 3)})\b")
_FIXED = tuple(
    (re.compile(pattern), kind, value, unit)
    for pattern, kind, value, unit in (
        (r"\btwice (?:as|the|that|more|what)\b", "number", "2", "times"),
        (r"\btwice\b(?<!aisle twice)(?<!shelf twice)(?<!figure twice)(?<!number twice)(?<!it twice)(?<!them twice)",
         "number", "2", "times"),
        (r"\b(?:doubl(?:e|es|ed|ing)|twofold)\b(?![\s-]+(?:check|entry|entries|shift))", "number", "2", "times"),
        (r"(?<!half )\ban? hour(?=\s+(?:earlier|later|sooner|less|more|faster|longer|saved|off|back|quicker))",
         "number", "1", "hour"),
        (r"\b(?:tripl(?:e|es|ed|ing)|threefold|thrice|treble[sd]?)\b", "number", "3", "times"),
        (r"\b(?:quadrupl(?:e|es|ed|ing)|fourfold)\b", "number", "4", "times"),
        (r"\btenfold\b", "number", "10", "times"),
        (r"\bevery (?:other|second|third|fourth|fifth|tenth) (?:error|mistake|return|parcel|order|picker|warehouse"
         r"|site|customer|company|team|shop|step|label|item)s?\b", "word", "", ""),
        (r"\b(?:tens|dozens|scores|hundreds|thousands|millions|billions|zillions|umpteen|gazillions?)\b", "word", "", ""),
        (r"\b(?:orders?\s+of\s+magnitude|exponential(?:ly)?|single-digit|buy one|get one|bogo|a grand|a fiver|a tenner)\b",
         "word", "", ""),
        (r"\b[a-z]+-free\b(?<!hands-free)", "word", "", ""),
        (
            r"\bfree\b(?<!feel free)(?<!-free)(?<!you are free)(?<!you're free)(?<!are you free)(?<!i am free)(?<!i'm free)"
            r"(?! up|[\s-]text|ing| for a (?:call|chat|coffee|talk|word)| (?:evening|hand|hands|moment|minute|slot|afternoon"
            r"|morning|shelf|space"
            r"|(?:mon|tues|wednes|thurs|fri|satur|sun)day)\b)"
            r"|\b(?:freebies?|complimentary|gratis|on the house|our treat|pay nothing|costs? (?:you )?nothing)\b"
            r"|\b(?:second|third|next|other) (?:one )?is (?:ours|yours|on us)\b|\b(?:is|are|be|comes?|goes) on us\b"
            r"|\bat our (?:own )?(?:expense|cost)\b"
            r"|\bnothing to pay\b|\bwaive[sd]?\b"
            r"|\bwithout (?:an? )?(?:bill|invoice)\b|\bnot (?:be |get )?(?:billed|charged|invoiced)\b"
            r"|\b(?:won't|doesn't|will not|does not) cost (?:you )?(?:a thing|anything)\b"
            r"|\b(?:no|without(?: any)?|zero|free of|at no)\s+(?:extra\s+|additional\s+)?"
            r"(?:costs?|charges?|fees?|payment)\b",
            "word", "free", "",
        ),
    )
)  # fmt: skip
_FIXED_HINTS = ("every ", "twi",
                "two", "doubl", "hour", "tripl", "three", "thrice", "treble", "quadrupl", "four", "ten", "dozen",
                "score",
                "hundred", "thousand", "illion", "umpteen", "magnitude", "exponential", "digit", "one", "bogo", "a grand",
                "fiver", "free", "complimentary", "gratis", "house", "treat", "nothing", "cost", "charge", "fee", "payment",
                " us", "our", "waive", "bill", "invoice")  # fmt: skip
"""Every pattern of `_FIXED` has one of them."""
_TIMES = r"(?P<unit>second|minute|hour|day|week|fortnight|month|year)"
_PACE = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\b(?:within|inside|under|less than|in|in only|in just|in under|after only|after just)\s+(?:an?|one|a single)\s+"
        rf"{_TIMES}\b",
        rf"\b(?:for|over)\s+(?:an?|one|a whole|a full|a single)\s+{_TIMES}\b(?! in advance| paid)",
        rf"\b(?:a|one)\s+(?:single\s+)?{_TIMES}'s\b",
        rf"\b(?:within|in|in just|in only)\s+{_TIMES}s\b",
        rf"\b(?:the\s+)?same[\s-]{_TIMES}\b",
        r"\bthe (?:very )?(?:next|following) (?P<unit>second|minute|hour|day|morning|afternoon|evening|night|week|month)\b",
        r"\bfor (?P<unit>year|month|week|age|decade)s\b",
        r"\b(?:this|last|past|next|coming) (?P<unit>spring|summer|autumn|winter|year|month|week)\b",
        r"\b(?:since|until|till|before|by) (?:the )?"
        r"(?P<unit>spring|summer|autumn|winter|noon|lunch|breakfast|dinner|new year)\b",
        r"\b(?:within|in|in just|in only) (?:an?|one|a single) (?P<unit>morning|afternoon|evening|night|weekend)\b",
        r"\b(?P<unit>at once|right away|straight away|on the spot|there and then|in a flash|in a heartbeat)\b",
        rf"\b(?:a couple of|several|a few|a handful of|many)\s+{_TIMES}s\b",
        rf"\b(?:a )?(?:matter|question) of {_TIMES}s\b",
        rf"\bthe (?:very )?(?:same )?{_TIMES} (?:that )?(?:they|you|it|we|people|your \w+) "
        r"(?:sign|start|join|order|buy|connect|switch|unpack|ask|call|plug|open|begin|get|arrive)\w*\b",
        r"\boutlasts? (?:the |an? |any |every )?(?:\w+ )?(?P<unit>day|night|weekend|week|month|season|year)\b",
        rf"\bon the very {_TIMES}\b",
        r"\b(?P<unit>before (?:you|they|anyone|anybody|your \w+)(?:(?: have|'ve| has| had| can| could| even| know)\b)+)",
        r"\b(?P<unit>before the (?:day|shift|week|month) is (?:out|over|done|up))\b",
        r"\b(?P<unit>by the time (?:you|they)(?:'ve| have))\b",
        r"\b(?:in|within|after|with|takes?|needs?) (?:just |only )?(?:one|a single) (?:\w+ )?"
        r"(?P<unit>call|session|meeting|visit|sitting|step|click|go|attempt|coffee)\b",
        r"\b(?P<unit>overnight|instantly|instantaneous(?:ly)?|immediately|in (?:next to )?no time|(?:within|in) moments"
        r"|day in,? day out|round[\s-]the[\s-]clock"
        r"|around the clock|day and night|day or night|real[\s-]time)\b",
        r"\b(?:hardly|barely|scarcely|never|no|without) (?:(?:any|much|a|have to|need to) )?(?P<unit>wait)(?:ing|s)?\b",
    )
)
_HINTS = ("second", "minute", "hour", "day", "week", "fortnight", "month", "year", "night", "morning", "evening", "noon",
          "spring", "summer", "autumn", "winter", "lunch", "breakfast", "dinner", "ages", "decade", "instant", "immediately",
          "before ", "outlast", "wait", "moment", "single", " one ",
          "time", "clock", "once", "away", "spot", "then", "flash", "heartbeat")  # fmt: skip
"""Every pattern of `_PACE` has one of them."""
_SAME_PACE = dict.fromkeys(
    ("right away", "straight away", "on the spot", "there and then", "immediately", "in a flash", "in a heartbeat"),
    "at once",
)
_OFTEN = re.compile(
    r"(?<!end of )(?<!start of )\b(?:every|each|once an?|once every)\s+"
    r"(?P<unit>second|minute|hour|day|morning|evening|night|week|month|quarter|year)\b"
    r"|\b(?P<adverb>hourly|daily|weekly|monthly|quarterly|yearly|annually)\b"
)
_ALWAYS_OPEN = re.compile(r"24(?<!\d24)\s?/\s?7(?!\d)|365(?<!\d365)\s+days\b")


def links(text: str) -> Iterator[Found]:
    for match in _LINK.finditer(text):
        bare = re.sub(r"^(?:https?|ftp)\s*:\s*/+\s*", "", match[0]).removeprefix("www.").rstrip("/.,;:!?)\"'")
        if bare not in _NO_LINKS:
            yield Figure("link", bare), match.start(), match.end()


def fixed_words(text: str) -> Iterator[Found]:
    """Words that mean a number or a price."""
    for match in _ALWAYS_OPEN.finditer(text):
        yield Figure("word", match[0]), match.start(), match.end()
    for match in _FRACTION.finditer(text) if any(word in text for word in DENOMINATORS) else ():
        if match["top"] == "a" and _ENUMERATES.search(text[: match.start()]):
            continue
        top = 1 if match["top"] in ("a", "an") else NUMBER_WORDS[match["top"]]
        hedge = "about" if match["kind"] else hedge_around(text, match.start(), match.end(), "")
        yield Figure("number", f"{top}/{DENOMINATORS[match['bottom']]}", qualifier=hedge), match.start(), match.end()
    for match in _RATIO.finditer(text):
        top = 1 if match["top"] in ("a", "an") else NUMBER_WORDS[match["top"]]
        yield Figure("number", f"{top}/{NUMBER_WORDS[match['bottom']]}"), match.start(), match.end()
    for pattern, kind, value, unit in _FIXED if any(hint in text for hint in _FIXED_HINTS) else ():
        for match in pattern.finditer(text):
            yield Figure(kind, value or match[0], unit), match.start(), match.end()
    for match in _LATE_ORDINAL.finditer(text):
        yield Figure("number", str(ORDINALS[match[0]]), "th"), match.start(), match.end()


def paces(text: str) -> Iterator[Found]:
    """How fast or how long without a number: "overnight", "in a day"."""
    for pattern in _PACE if any(hint in text for hint in _HINTS) else ():
        for match in pattern.finditer(text):
            yield Figure("pace", _SAME_PACE.get(match["unit"], match["unit"])), match.start(), match.end()
    for match in _OFTEN.finditer(text):
        yield Figure("pace", f"every {PERIODS.get(match['unit'] or match['adverb'], 'day')}"), match.start(), match.end()
