"""Figures that claim nothing in a sentence about the reader: a pace, two or three of something, a weekday or a month."""

import re

from nurture.copywriting.figures import Figure


def may_name_days(said: str, asks: bool) -> bool:
    """Whether a weekday or a month in the sentence is no appointment: it asks, or says what is usual or has been."""
    return (asks or bool(_HABIT.search(said))) and not _APPOINTS.search(said)


def is_idle(figure: Figure, idle_dates: bool) -> bool:
    """Whether it claims nothing in a sentence about the reader; a weekday or a month does not where `idle_dates`."""
    return figure.kind == "pace" or is_idle_count(figure) or (idle_dates and is_season(figure))


def lets_count(figure: Figure, said: str) -> bool:
    """Whether "two" or "three" is of something that the reader is told he can do."""
    return is_idle_count(figure) and bool(_LETS_YOU.search(said))


def is_season(figure: Figure) -> bool:
    """Whether it is a weekday, a month or a holiday without a day, a year or a deadline."""
    return figure.kind == "date" and bool(_SEASON.fullmatch(figure.found.strip(" .")))


def is_idle_count(figure: Figure) -> bool:
    """Whether it is "two" or "three" of something, or "twice", in words: ordinary English where nothing is claimed."""
    is_small = figure.claim in (("number", "2", ""), ("number", "3", ""), ("number", "2", "times"))
    return is_small and figure.found in ("two", "three", "twice") and not figure.qualifier


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
_SEASON = re.compile(
    r"(?:in |on |last |early |late |mid[ -]|end of |this |the )*(?:(?:mon|tues|wednes|thurs|fri|satur|sun)days?"
    r"|january|february|march|april|may|june|july|august|september|october|november|december|christmas|easter|thanksgiving)"
)
