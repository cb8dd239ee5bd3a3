"""Guardrails on what must not come through: the prompt, and orders that stood in the input."""

import re
from collections.abc import Iterator
from functools import lru_cache

from nurture.copywriting.assembly import PLACEHOLDER
from nurture.copywriting.figures import plain
from nurture.copywriting.guardrails.draft import Draft

_PROMPT_WORDS = (
    r"system (?:prompt|message)|language model|ai assistant|</?request>|cited[_ ]fact[_ ]ids?|fact ids?|placeholders?|json"
    r"|(?:the )?facts (?:provided|given|supplied)|the facts of the request|token (?:limit|budget)|jailbreak\w*"
    r"|developer mode"
    r"|prompt(?:s|ed)? (?:me|us|the model|injection)|as (?:requested|instructed)|(?:new|updated) instructions?"
    r"|(?:my|your|the|these|those|previous|prior|above|earlier) instructions"
    r"|(?:output|json|answer) (?:schema|format)|(?:word|character) limit|cta|reviewers?|constraints|the request"
    r"|(?:information|facts|context|input) (?:that )?(?:i was |you |were |was )?(?:provided|given|supplied)"
    r"|(?:according to|based on) (?:the|my|these) (?:facts?|sources?|brief|context|information|prompt)"
    r"|(?:what|as|than) the facts? (?:says?|has|have|states?)|cites? (?:a|the|this) facts?|this (?:draft|output|response)"
    r"|the (?:persona|recipient|prospect|context|brief) (?:wants|needs|is|works|says|has|should|asks|likes)"
)
_SELF_TALK = (
    r"i am (?:told|asked) (?:to|not)|i (?:was|have been) (?:told|asked)|i (?:was|am|have been) (?:instructed|trained"
    r"|given|programmed|(?:not )?allowed|supposed|designed)"
    r"|i (?:have )?used .{0,12}\bfacts?|meets? your requirements"
    r"|i(?: am|'m) (?:only |just )?an? (?:program|bot|assistant|machine|model)"
    r"|(?:let me|i will|i'll|i have) (?:write|written|draft|drafted) (?:an?|this|the|your)"
    r" .{0,20}(?:e-?mail|message|text|copy)"
    r"|my (?:guidelines|training|rules|task|prompt|constraints)"
    r"|(?:sure|certainly|of course|absolutely|okay)[!,.] (?:here|below|this)"
    r"|(?:here|below) (?:is|are|comes|you (?:will )?find) (?:the|an?|your)"
    r" (?:\w+ )?(?:text|body|draft|copy|output|version (?:within|of))"
)
_REFUSALS = r"as an ai|i am an ai|i'm an ai|i'm sorry|i cannot|i can't (?:help|assist|do that)"
_ORDERS = (
    r"(?:ignor|disregard|forget|overrid)\w*\b.{0,40}\b(?:instructions?|rules|prompt|constraints|above|everything|were told)"
    r"|you are now|act as (?:an?|if)|pretend (?:to be|you are)|here is (?:the|your) (?:e-?mail|json|copy)"
    r"|(?:discard|drop|skip|break|stop following|(?:do not|don't) follow|set aside)\b[^.!?·]{0,40}"
    r"\b(?:instructions?|rules|prompt|orders|guidelines|constraints|text|above|was said|were told)"
    r"|(?:assume|take on|play) the role|from now on,? you|you (?:now )?act as"
    r"|(?:rules|restrictions|limits|guidelines|constraints) (?:no longer |do not |don't )?apply"
    r"|your (?:new )?task is|(?:new|your) role is|repeat after me|output the following|the user is"
    r"|(?:never mind|forget about) the rules|replaces your (?:orders|instructions|rules|task)"
)
_LABELS = (
    r"\((?:system|assistant|user)\)"
    r"|\b(?:headline|body|cta|constraints?|output(?: format)?|role|assistant|user|system)\s?:|(?:^|[.,!?·)\]] )human\s?:"
)
_LEAKS = re.compile(rf"(?<!\w)(?:{_PROMPT_WORDS}|{_REFUSALS}|{_SELF_TALK}|{_ORDERS})(?!\w)|{_LABELS}")
_IDENTIFIER = re.compile(r"\b[a-z]+_[a-z_]+\b|\"\s*:\s*[\"\[{]")
Runs = frozenset[tuple[str, ...]]
_LEAK_WORDS = 6  # so many words in a row from the instructions are no accident


def prompt_leaks(draft: Draft) -> Iterator[str]:
    text = plain(PLACEHOLDER.sub("·", draft.piece.text))
    for found in sorted({match[0] for match in _LEAKS.finditer(text)} | {match[0] for match in _IDENTIFIER.finditer(text)}):
        yield f"{found!r} speaks of the prompt, not to the reader"
    for fact_id in draft.offered:
        if (
            "-" in fact_id
            and fact_id in text
            and re.search(rf"(?<![\w-]){re.escape(fact_id)}(?![\w-])", text)
            and not _is_wording(fact_id, draft)
        ):
            yield f"the fact id {fact_id!r} stands in the text"
    repeated = _repeated(_runs(draft.terms.instructions), draft.piece.text)
    if repeated and any(repeated - frozenset().union(*(_runs(fact.text) for fact in draft.cited))):
        yield f"{_LEAK_WORDS} words in a row are from the instructions"


def _is_wording(fact_id: str, draft: Draft) -> bool:
    """Whether a fact itself says its id, as in "open-api"."""
    return any(fact_id in plain(fact.text) for fact in draft.cited)


def _repeated(told: Runs, text: str) -> Runs:
    """The runs of words in `text` that are among those `told`."""
    if not told:
        return told
    found, opening = re.findall(r"\w+", plain(text)), _first_words(told)
    places = (place for place, word in enumerate(found[: 1 - _LEAK_WORDS]) if word in opening)
    return told & {tuple(found[place : place + _LEAK_WORDS]) for place in places}


@lru_cache(maxsize=64)
def _first_words(runs: Runs) -> frozenset[str]:
    return frozenset(run[0] for run in runs)


@lru_cache(maxsize=512)
def _runs(text: str) -> Runs:
    found = re.findall(r"\w+", plain(text))
    return frozenset(zip(*(found[i:] for i in range(_LEAK_WORDS)), strict=False))
