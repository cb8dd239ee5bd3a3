"""Whether a sentence claims something, invites, or only speaks to the reader: what decides how it is held to the facts."""

import re
from typing import Literal

from nurture.copywriting.copy_rules import CopyRules
from nurture.copywriting.figures import figures, plain
from nurture.copywriting.guardrails.deeds import DEEDS, any_of
from nurture.copywriting.guardrails.idle import is_idle, lets_count, may_name_days
from nurture.copywriting.guardrails.promises import gains, states_effect
from nurture.copywriting.guardrails.pronouns import ADVERBS, claims_of_it

Role = Literal["claim", "offer", "address"]
"""`claim`: states something about us, our products or customers, or promises an effect. `offer`: invites or asks, naming us.
`address`: speaks of the reader only."""


def role_of(text: str, rules: CopyRules, *, names_us: bool, follows_claim: bool, in_scene: bool) -> Role:
    """The role of a sentence from which product names are taken out.

    Args:
        names_us: it names the company, a product or a customer, or goes on about one as "it".
        follows_claim: it begins with "it", "they" or "that", and the sentence before it claims.
        in_scene: the sentence before it speaks to the reader only, so that "it" may be something there.
    """
    said = plain(_IT_STAFF.sub("the office", text))
    asks = said.rstrip("\"')”’ ").endswith("?") and bool(_ASKS.match(said)) and not _TELLS.search(said)
    idle_dates = not names_us and not follows_claim and may_name_days(said, asks)
    if any(not is_idle(figure, idle_dates) or lets_count(figure, said) for figure in figures(text)):
        return "claim"
    invites = bool(_INVITES.match(said))
    states = not asks and not _CONDITION.match(said) and (names_us or not invites)
    if states_effect(said) or (states and gains(said, rules)):
        return "claim"
    if asks or invites or _IT_WOULD.match(said):
        return "offer" if names_us or says_we(text) else "address"
    if names_us or _WE_CLAIM.search(said) or claims_of_it(said, rules, in_scene=in_scene):
        return "claim"
    return "offer" if says_we(text) or follows_claim else "address"


def is_greeting(text: str) -> bool:
    return bool(_GREETS.match(plain(text)))


def says_we(text: str) -> bool:
    return bool(_WE.search(plain(text)))


def is_statement(text: str) -> bool:
    """Whether it states something: it neither asks, nor invites, nor sets a condition."""
    said = plain(text)
    return not (said.rstrip("\"')”’ ").endswith("?") or _INVITES.match(said) or _CONDITION.match(said))


_ASKING = any_of(
    """would could can may shall should do does did is are was were have has had will want need what what's when where
    which who who's whose how how's why ready curious interested fancy care any got still tired sounds? looking
    isn't aren't don't doesn't won't wouldn't couldn't haven't more questions? not too time another lost seen tried
    struggling in at after before with on for something one"""
)
_INVITING = any_of(
    """see reply tell book ask take try have let let's give look send find come talk read get watch call choose pick
    plan bring show begin go arrange invite introduce finish remind enjoy borrow lend note put spend discover
    explore meet learn visit join write hear check compare picture imagine think feel walk keep open name share
    forward grab sit drop press thank thanks here hello hi dear good more use start follow consider remember pass
    speak schedule set request download view say stay point pay"""
)
_OURS = any_of(
    """software app apps platform devices? scanners? printers? handhelds? products? tools? systems? servers? data
    labels? engineers experts developers support service customers clients users technology solution algorithms?
    competitors batter(?:y ies) api cloud reports? partners investors studies"""
)


_IT_STAFF = re.compile(r"\bIT\b(?= [a-z])")
"""Capitals: the people of IT, not the pronoun."""
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
_CONDITION = re.compile(
    r"[\W_]*(?:(?:and|but|or|so)\s+)?(?:if|when|whenever|where|every time|once|until|unless|as long as|while)\b"
)
_IT_WOULD = re.compile(
    r"(?:they|their \w+|that|this) (?:would|could|may|might)\b"
    r"|it (?:would|could|may|might|must|need not|needn't)\b"
    r"|it(?:'s| is) (?:(?:still|barely|nearly|almost|already|only|just) )?(?:early|late|quiet|dark|cold|raining|snowing"
    r"|mid\W(?:morning|afternoon|week|month)|half past|nearly|past|time)\b"
    r"|it(?:'s| is) (?:not|hardly) an? \w+ (?:that )?(?:you|anyone|anybody)\b"
    r"|it(?:'s| is) (?:hard|easy|good|nice|wise|human|worth|tempting) to\b"
    r"|it (?:helps (?:to|when|if)\b|sounds\b|feels\b|depends\b|happens\b)"
)
"""It would be, and the "it" that stands for nothing."""
_GREETS = re.compile(
    r"\W*(?:hi|hello|hey|dear|good (?:morning|afternoon|evening|day)|thanks?(?: you)?|welcome)\b[^.]{0,40}$"
)
_KIND = r"(?:the|our|an?) (?:scanner|printer|handheld|app|engineer|support line|software|subscription|trial)"
_WE_CLAIM = re.compile(
    rf"(?:^|[,;:.·(]\s|\b(?:and|but|because|that|since|so|then|with)\s){_KIND} (?:can|will|does|lets|helps|knows|works)\b"
    rf"|\bwe(?:'ve|'ll|'re)?\s+{ADVERBS}{DEEDS}\w*\b"
    rf"|(?:^|[,;:.·(]\s|\b(?:and|but|because|that|since|so|as|with|all of|all|most of|some of)\s)our\s+(?:\w+\s+)?{_OURS}\b"
    rf"|\bour\s+(?:\w+\s+)?{_OURS}\s+(?:that|which|who)\b"
)
