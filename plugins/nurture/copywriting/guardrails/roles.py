"""Whether a sentence claims something, invites, or only speaks to the reader: what decides how it is held to the facts."""

import re
from typing import Literal

from nurture.copywriting.copy_rules import CopyRules
from nurture.copywriting.figures import Figure, figures, plain
from nurture.copywriting.stems import stems

Role = Literal["claim", "offer", "address"]
"""`claim`: states something about us, our products or customers, or promises an effect. `offer`: invites or asks, naming us.
`address`: speaks of the reader only."""


def role_of(text: str, rules: CopyRules, *, names_us: bool, follows_claim: bool) -> Role:
    """The role of a sentence from which product names are taken out.

    Args:
        names_us: it names the company, a product or a customer, or goes on about one as "it".
        follows_claim: it begins with "it", "they" or "that", and the sentence before it claims.
    """
    said = plain(text)
    if _PROMISE.search(said) or any(figure.kind != "pace" and not is_idle_count(figure) for figure in figures(text)):
        return "claim"
    asks = said.rstrip("\"')”’ ").endswith("?") and bool(_ASKS.match(said)) and not _TELLS.search(said)
    invites = bool(_INVITES.match(said))
    if stems(said) & rules.outcomes and not asks and not _CONDITION.match(said) and (names_us or not invites):
        return "claim"
    if asks or invites or _IT_WOULD.match(said):
        return "offer" if names_us or says_we(text) else "address"
    if names_us or _WE_CLAIM.search(said) or _IT_CLAIM.match(said):
        return "claim"
    return "offer" if says_we(text) or follows_claim else "address"


def says_we(text: str) -> bool:
    return bool(_WE.search(plain(text)))


def goes_on(text: str) -> bool:
    """Whether it begins with "it", "they", "this" or "that": it may go on about what the sentence before named."""
    return bool(_GOES_ON.match(plain(text)))


def speaks_of_it(text: str) -> bool:
    """Whether it begins with "it" or "they"."""
    return bool(_IT.match(plain(text)))


def is_idle_count(figure: Figure) -> bool:
    """Whether it is "two" or "three" of something, or "twice", in words: ordinary English where nothing is claimed."""
    is_small = figure.claim in (("number", "2", ""), ("number", "3", ""), ("number", "2", "times"))
    return is_small and figure.found in ("two", "three", "twice") and not figure.qualifier


def _words(text: str) -> str:
    """A pattern for any of the words; `_` stands for a space."""
    return f"(?:{'|'.join(text.split())})".replace("_", " ")


_ASKING = _words(
    """would could can may shall should do does did is are was were have has had will want need what what's when where
    which who who's whose how how's why ready curious interested fancy care any got still tired sounds? looking
    isn't aren't don't doesn't won't wouldn't couldn't haven't more questions? not too time another lost seen tried
    struggling in at after before with on for something one"""
)
_INVITING = _words(
    """see reply tell book ask take try have let let's give look send find come talk read get watch call choose pick
    plan bring show begin go arrange invite introduce finish remind enjoy borrow lend note put spend discover
    explore meet learn visit join write hear check compare picture imagine think feel walk keep open name share
    forward grab sit drop press thank thanks here hello hi dear good more use start follow consider remember pass
    speak schedule set request download view say stay point pay"""
)
_DEEDS = _words(
    """help make build develop design offer provide deliver ship support serve host run store keep_your protect encrypt
    cut reduce save lower increase raise improve boost grow double halve ensure guarantee promise certify certified
    train translate connect integrate automate replace repair refund win won lead employ partner sell beat solve end
    stop eliminate remove prevent track scan print count_stock pack manage control monitor analy[sz]e predict
    forecast handle_all operate power trust supply invest own hold meet_all comply pass"""
)
"""What a company says that it does."""
_ACTS = _words(
    """work run read learn order send tell find count pick plan sort label recogni[sz]e measure weigh film lock charge
    last cost come fit need know remember speak write call open close move carry lift insure back_up sync update
    export import calculate detect warn alert"""
)
"""What a product does, besides."""
_OURS = _words(
    """software app apps platform devices? scanners? printers? handhelds? products? tools? systems? servers? data
    labels? engineers experts developers support service customers clients users technology solution algorithms?
    competitors batter(?:y ies) api cloud reports? partners investors studies"""
)

_AND = r"(?:(?:and|but|so|then|plus,?|yes,?|also,?) )?"
_ADVERBS = r"(?:(?:\w+ly|also|can|will|have|has|now|all|always|never|even|just)\s+)*"
_IT = re.compile(rf"{_AND}(?:it|its|it's|they|their|they're|the device|the app)\b")
_GOES_ON = re.compile(rf"{_IT.pattern}|{_AND}(?:this|that|these|those)\b")
_WE = re.compile(r"\b(?:we|we're|we've|our|ours)\b")
_ASKS = re.compile(rf"[\W_]*(?:(?:and|or|so|but|if so|now|hi|hello|dear|yet|then)\W+)*(?:·\W+)?{_ASKING}\b")
_TELLS = re.compile(
    r"\bdid you know|\bdo you know that|\bhave you heard|\bwho else\b"
    r"|\b(?:right|isn't it|doesn't it|don't they|okay|ok)\?"
)
_LEADS_IN = (
    r"(?:(?:and|or|so|then|just|please|simply|now|if .{3,80},|when .{3,60},|until then,|in the meantime,|meanwhile,"
    r"|next,|first,)\s+){0,3}"
)
_INVITES = re.compile(rf"[\W_]*{_LEADS_IN}(?:·\W+)?(?:{_INVITING}|save (?:the|this|it|your (?:place|seat|cart)))\b")
_THINGS = _words(
    """figures? stock errors? returns? shelves orders? numbers? reports? data costs? warehouse inventory counts? parcels?
    customers?"""
)
_PROMISE = re.compile(
    rf"\byour (?:\w+ )?{_THINGS} (?:will|is always|are always|never)\b|\byou(?:'ll| will) (?:never|always|no longer)\b"
)
_CONDITION = re.compile(
    r"[\W_]*(?:(?:and|but|or|so)\s+)?(?:if|when|whenever|where|every time|once|until|unless|as long as|while)\b"
)
_IT_WOULD = re.compile(
    r"it (?:(?:would|could|may|might|must)\b|helps (?:to|when|if)\b|is (?:hard|easy|good|nice|wise|human|worth|tempting)"
    r" to\b|sounds\b|feels\b|depends\b|happens\b)"
)
"""It would be, and the "it" that stands for nothing."""
_PREDICATE = rf"(?:'s|'re|\s+is|\s+are)\s+(?:{_ADVERBS}\w+(?:\s+(?:and|or)\s+\w+)?\s*(?:[.,;!]|$)|\w+ed\b)"
_IT_CLAIM = re.compile(
    rf"{_AND}(?:it|they|the device|the app)"
    rf"(?:{_PREDICATE}|\s+{_ADVERBS}(?:{_DEEDS}|{_ACTS})\w*\b|\s+(?:also|even)\s+\w+s\b)"
)
_KIND = r"(?:the|our|an?) (?:scanner|printer|handheld|app|engineer|support line|software|subscription|trial)"
_WE_CLAIM = re.compile(
    rf"\b{_KIND} (?:can|will|does|lets|helps|knows|works)\b"
    rf"|\bwe(?:'ve|'ll|'re)?\s+{_ADVERBS}{_DEEDS}\w*\b|\bour\s+(?:\w+\s+)?{_OURS}\b"
)
