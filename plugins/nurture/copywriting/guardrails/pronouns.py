"""What "it" and "they" stand for: a thing of ours, something in the sentence before, or nothing."""

import re

from nurture.copywriting.copy_rules import CopyRules
from nurture.copywriting.figures import plain
from nurture.copywriting.guardrails.deeds import ACTS, DEEDS, any_of
from nurture.copywriting.stems import stems


def goes_on(text: str) -> bool:
    """Whether it begins with "it", "they", "this" or "that": it may go on about what the sentence before named."""
    return not text.startswith("IT ") and bool(_GOES_ON.match(plain(text)))


def speaks_of_it(text: str) -> bool:
    """Whether it begins with "it" or "they"."""
    return not text.startswith("IT ") and bool(_IT.match(plain(text)))


def claims_of_it(said: str, rules: CopyRules, *, in_scene: bool) -> bool:
    """Whether it says something about a thing of ours that it calls "it"."""
    if _SINCE_THEN.match(said):
        return True
    if not _IT.match(said):
        return False
    if in_scene and _IT_IS_A_SCENE.match(said):
        return False
    if in_scene and (found := _IT_IS.match(said)):
        return not stems(found["what"]) <= rules.everyday
    return bool(
        _IT_CLAIM.match(said) or _IT_DOES.match(said) or (not in_scene and (_IT_ACTS.match(said) or _IT_IS_MADE.match(said)))
    )


HAPPENING = """
    takes starts begins happens seems looks feels sounds gets rains snows pays depends hurts means matters goes comes
    ends was has is changes says sits stands lies hides waits lives leaves rings falls adds turns keeps helps makes
    gives costs stays used
"""
_HAPPENS = any_of(HAPPENING)
"""What the "it" does that stands for nothing, or for the day."""

_AND = r"(?:(?:and|but|so|then|plus,?|yes,?|also,?) )?"
ADVERBS = r"(?:(?:\w+ly|also|can|will|have|has|now|all|always|never|even|just)\s+)*"
_IT = re.compile(rf"{_AND}(?:it|its|it's|they|their|they're|the device|the app)\b")
_GOES_ON = re.compile(rf"{_IT.pattern}|{_AND}(?:this|that|these|those)\b")
_PREDICATE = rf"(?:'s|'re|\s+is|\s+are)\s+(?:{ADVERBS}\w+(?:\s+(?:and|or)\s+\w+)?\s*(?:[.,;!]|$)|\w+ed\b)"
_IT_CLAIM = re.compile(
    rf"{_AND}(?:it|they|the device|the app)"
    rf"(?:{_PREDICATE}|\s+{ADVERBS}(?:{DEEDS}|{ACTS})\w*\b|\s+(?:also|even)\s+\w+s\b)"
)
_IT_ACTS = re.compile(
    rf"{_AND}(?:it|they)\s+(?:also\s+|even\s+|then\s+)?(?!{_HAPPENS})(?P<verb>[a-z]{{3,}}s|do (?:that|it|so))\b"
    rf"|{_AND}they also [a-z]+|{_AND}it has (?:an?|its|built)\b"
    r"(?! (?:way|habit|tendency|reputation|knack|talent|point|name|story))"
)
_IT_IS_MADE = re.compile(
    rf"{_AND}(?:it|they)(?:'s|'re|\s+is|\s+are)\s+(?:made|built|written|drawn|sewn|kept|sold|run|yours|ours)\b"
)
_IT_IS = re.compile(
    rf"{_AND}(?:it|they)(?:'s|'re|\s+is|\s+are)\s+(?P<what>.*?)"
    r"(?:[.,;:!?]|$|\b(?:and|but|that|which|who|when|until|for|to|in|on|of)\b)"
)
_IT_IS_A_SCENE = re.compile(
    r"(?:and |but )?it(?:(?:'s| is) (?:(?:just|often|usually|mostly|always|rarely|seldom|only) )?(?:an?|the) "
    r"(?!\w* ?(?:app|tool|device"
    r"|scanner|printer|handheld|system|software|product|platform|solution|service)\b)"
    r"|'s nobody's| (?:left|came|went|took|was|stood|sat|lay|started|began)\b)(?!.*\b(?:you|your \w+) (?:can|get|will)\b)"
)
"""What "it" is, or was, where the sentence before has painted it."""
_IT_DOES = re.compile(
    rf"{_AND}(?:it|they)\s+(?!(?:takes?|costs?|leaves?|gets?|means?|says?|hurts?|wears?|eats?|is|are|was|were)\b)"
    r"[a-z]+ (?:them|you|your|every|each|all|everything)\b"
)
_SINCE_THEN = re.compile(r"\W*(?:since|from|as of|starting) [^,]{3,30},? (?:it|they|we|you) (?:can|will|get|have)\b")
"""What "it" does when no sentence before has said what it is."""
