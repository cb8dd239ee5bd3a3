"""Figures and names that claim nothing in a sentence about the reader: a pace, two of something, a weekday, a month."""

import re

from nurture.copywriting.copy_rules import CopyRules
from nurture.copywriting.figures import Figure, plain
from nurture.copywriting.stems import stem


def may_name_days(said: str, asks: bool) -> bool:
    """Whether a weekday or a month in the sentence is no appointment: it asks, or says what is usual or has been."""
    if _TO_TALK.match(said):
        return True
    is_usual = asks or bool(_HABIT.search(said)) or not _OFFERS.search(said)
    return is_usual and not _APPOINTS.search(_BACK.sub("", said)) and not _DEADLINE.search(said)


def is_idle(figure: Figure, idle_dates: bool) -> bool:
    """Whether it claims nothing in a sentence about the reader; a weekday or a month does not where `idle_dates`."""
    return figure.kind == "pace" or is_idle_count(figure) or (idle_dates and is_season(figure))


def lets_count(figure: Figure, said: str) -> bool:
    """Whether "two" or "three" is of something that the reader is told he can do."""
    return is_idle_count(figure) and bool(_LETS_YOU.search(said))


def is_season(figure: Figure) -> bool:
    """Whether it is a weekday, a month or a holiday without a day, a year or a deadline."""
    return figure.kind == "date" and bool(_SEASON.fullmatch(figure.found.strip(" .")))


def is_scene_name(name: str, text: str, rules: CopyRules) -> bool:
    """Whether it is a holiday in a scene, or what a thing of the reader's day is called: "a forklift called Gerda"."""
    if plain(name) in _HOLIDAYS:
        is_kind = re.search(rf"{name} (?:markets?|party|parties|trees?|week|season|holidays|lights|songs?|dinner)\b", text)
        return bool(is_kind) or may_name_days(plain(text), text.rstrip().endswith("?"))
    found = re.search(rf"\b(?:an?|the) (\w+) (?:called|named|by the name of) {re.escape(name)}(?!\w)", text)
    return found is not None and stem(plain(found[1])) in rules.scene


def is_idle_count(figure: Figure) -> bool:
    """Whether it is "two" or "three" of something, or "twice", in words: ordinary English where nothing is claimed."""
    is_small = figure.claim in (("number", "2", ""), ("number", "3", ""), ("number", "2", "times"))
    return is_small and figure.found in ("two", "three", "twice") and not figure.qualifier


_HOLIDAYS = frozenset({"christmas", "easter", "halloween", "thanksgiving"})
_LETS_YOU = re.compile(r"\b(?:you|your (?:team|people|pickers|staff|colleagues)) (?:can|may|get|will)\b")
_HABIT = re.compile(
    r"\b(?:who|when|whenever|until it|every (?:year|winter|summer)|always|usually|often|still|again|ever|remember"
    r"|last|same|since"
    r"|was|were)\b"
)
"""What happens again and again, or has happened: no appointment."""
_APPOINTS = re.compile(
    r"\b(?:will|shall|can|could|would|may|arriv\w+|com(?:e|es|ing)|deliver\w*|ship\w*|sends?|starts?|begins?|opens?"
    r"|closes?|ends?"
    r"|moves?|launch\w*|releas\w+|new|versions?|prices?|costs?|offers?|sales?|trials?|support|engineers?|courses?|webinars?"
    r"|demos?|calls?|rings?|visits?|meets?|orders?|gets?|becom\w+|part|plans?|back|ready|available|updates?"
    r"|invoices?|bills?|pays?|contracts?|we|us|our)\b"
)
"""Words by which a weekday may be one on which something of ours happens."""
_BACK = re.compile(r"\bback on (?=\w+day\b)|(?<=everything )back\b|(?<=came )back\b")
"""Who is back on Monday, and what comes back in January, is the reader's own."""
_OFFERS = re.compile(
    r"(?:^|[,;:] |\b(?:and|but|so) )(?:this|that|these|those)\b"
    r"|\b(?:it|its|they|their|here|there|everyone|everybody|free|discounts?|deals?|gifts?|cheaper"
    r"|scanners?|printers?|handhelds?|devices?|apps?|software|products?|systems?|labels?|counts?|reports?|routes?|tools?"
    r"|subscriptions?|services?|helpline|hotline|team|expect|happens?|goes|takes?|live|done|fixed|solved|faster|better"
    r"|your|yours|with you|parcels?|box|door|expert|someone|somebody|sites?|stocks?|errors?|mistakes?|returns?|pickers?"
    r"|packers?"
    r"|shelf|shelves|less|more|fewer|gone|right|correct|trained|calm|runs?|running|works?|answers?|without|last day|day to"
    r"|only|choose|choice|half)\b"
)
"""A day beside one of these may be one on which something of ours happens or is promised."""
_DEADLINE = re.compile(
    r"\b(?:deadline|due|expires?|hurry|decide|sign(?:ed)? up|buy|book|reply|answer|switch|act|pay|subscribe|upgrade|order"
    r"|join|register|get|try|install|save)\b(?!.*\?)"
)
"""What the reader would have to do by then."""
_TO_TALK = re.compile(
    r"\W*(?:let's |shall we |plan your |prepare for )?(?:talk|speak|meet|chat|plan your|prepare for)\b[^.,;:]{0,12}$"
)
"""A button that proposes a day to talk, or a month to prepare for."""
_SEASON = re.compile(
    r"(?:in |on |before |after |since |last |early |late |mid[ -]|end of |this |the )*"
    r"(?:(?:mon|tues|wednes|thurs|fri|satur|sun)days?"
    r"|january|february|march|april|may|june|july|august|september|october|november|december"
    r"|christmas|easter|thanksgiving|halloween|new year|season)"
)
