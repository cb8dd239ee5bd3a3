"""Promises: sentences that say that something of the reader's gets better, or what he gets, pays or is bound to."""

import re

from nurture.copywriting.copy_rules import CopyRules
from nurture.copywriting.figures import plain
from nurture.copywriting.guardrails.deeds import any_of
from nurture.copywriting.stems import stem


def promises(text: str, rules: CopyRules) -> bool:
    """Whether a claim promises an effect."""
    said = plain(text)
    return states_effect(said) or gains(said, rules)


def states_effect(said: str) -> bool:
    return bool(_PROMISE.search(said))


def gains(said: str, rules: CopyRules) -> bool:
    """Whether it says that something of the reader's gets better: "you save", "errors vanish", "save hours"."""
    return any(stem(match["verb"] or match["first"]) in rules.outcomes for match in _PROMISED.finditer(said))


_THINGS = any_of(
    """figures? stock errors? returns? shelves orders? numbers? reports? data costs? warehouse inventory counts? parcels?
    customers?"""
)
_BOUGHT = any_of("bill price fee licen[cs]e subscription contract trial discount invoice plan")
_OFFERED = any_of(
    """courses? engineers? trials? api helpline hotline apps? devices? scanners? printers? software service products?
    support_line"""
)
_PROMISE = re.compile(
    r"^\W*you never \w+\b.*\bagain\b|\bnothing (?:gets|is|goes|stays) \w+ any ?more\b"
    r"|\b(?:does|do|will) not \w+ you any ?more\b"
    r"|\bevery (?:parcel|order|item|label|shelf|count) (?:leaves|arrives|goes|is) [^.]{0,20}\b(?:right|correct)\b"
    r"|\b(?:you|your \w+)(?:'ll| will) (?:see|get|have|find|notice|feel) "
    r"(?:the same|it too|that too|a difference|results?)\b"
    r"|\b(?:an?|one) (?:glance|look|tap|scan|click|touch) is (?:all|enough)\b"
    r"|\bkeeps? (?:\w+ ){1,3}(?:away|at bay|in check)\b(?! from)"
    r"|^\W*with us,? (?:you|your|it|they|every\w+)\b"
    r"|\b(?:everything|it all|work|walking|picking|counting|packing|reporting|life|your \w+) (?:gets|becomes|goes"
    r"|runs|turns)"
    r" (?:\w+ )?(?:faster|easier|quicker|smoother|simpler|calmer|better|shorter|cheaper|lighter|safer)\b"
    r"|\byour (?:inventory|stock|data|figures|shelves|counts|records|numbers|orders)"
    r" (?:stays?|remains?|(?:is|are) always)\b(?! yours)"
    r"|\b(?:pickers|packers|people|teams|mistakes|errors|stocktakes|counts|returns|queues|detours) (?:stop \w+ing"
    r"|become a)\b"
    rf"|\b{_THINGS} (?:becomes?|gets?|grows?|turns?)"
    r" (?:\w+ )?(?:rare|rarer|fewer|less|smaller|shorter|simpler|lighter|quicker)\b"
    rf"|\b{_THINGS} (?:shrink|dwindle|plummet|evaporate|melt away)s?\b"
    r"|(?<!until )(?<!when )(?<!while )(?<!if )(?<!as )\bthe"
    rf" {_BOUGHT} (?:is|does|do|stays?|grows?|ends?|falls?|rises?|can)\b"
    rf"|\byour {_BOUGHT} (?:is|stays?|ends?|comes?|can)\b|\ball you commit to\b"
    rf"|\bthere(?:'s| is| are) (?:an? |our )?{_OFFERED} (?:for|that|which)\b"
    rf"|\byour (?:\w+ )?{_THINGS} (?:will|is always|are always|never)\b|\byou(?:'ll| will) (?:never|always|no longer)\b"
)
_GAINS = any_of(
    """time hours? minutes? days? money work steps? walking errors? stock returns? costs? orders? picking counts? counting
    waste mistakes? reports? reporting parcels? labels? accuracy speed sales output results? throughput your the"""
)
_PROMISED = re.compile(
    rf"\b(?:you|your (?:\w+ )?\w+|{_THINGS}|it|that|this|they|these|we)\s+"
    rf"(?:(?:\w+ly|also|can|will|could|may|just|soon|even|get to|are|is|be|always|then|never)\s+)*(?P<verb>[a-z]+)\b"
    rf"|^[\W_]*(?P<first>[a-z]+) (?:up to )?(?:\w+ )?{_GAINS}\b"
)
