"""Where a sentence turns round what its facts say: negations and their scope, contrasts, limits that were dropped."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from nurture.copywriting.figures import plain
from nurture.copywriting.figures.number_words import NUMBER_WORDS, ORDINALS
from nurture.copywriting.figures.units import CURRENCY_WORDS, TIME_UNITS
from nurture.copywriting.guardrails.draft import Draft, Sentence
from nurture.copywriting.stems import Stems, stem, stems, words

COUNTS = frozenset(
    map(
        stem,
        (
            *NUMBER_WORDS,
            *ORDINALS,
            *CURRENCY_WORDS,
            *TIME_UNITS,
            *("percent", "per", "cent", "times", "twice", "quarter", "double"),
        ),
    )
)
"""Words of figures, which have a guardrail of their own."""
ABSOLUTES = frozenset(
    {"every", "all", "always", "never", "several", "countless", "entire", "fully", "complete",
     "everyone", "everywhere", "anywhere", "none", "lots", "many", "majority"}
)  # fmt: skip
"""Words that make a claim wider."""

_NEGATES = frozenset(
    {"no", "not", "never", "without", "nobody", "nothing", "none", "neither", "nor", "avoid", "avoids", "hardly", "barely",
     "scarcely", "rarely", "seldom"}
)  # fmt: skip
_DENIES = stems("stop refuse fail forget cease lack lose miss ignore prevent skip deny omit neglect reject block")
"""Verbs that turn what they govern into its negation, unless the facts have the very verb."""
_IDLE = re.compile(
    r"\b(?:never|no|not)\s+(?:more|less|fewer|longer|later)\s+than\b"
    r"|\b(?:not\s+)?(?:after|at|above|first of|is|was)\s+all\b|\ball\s+(?:the same|the best|right)\b"
    r"|\b(?:in|over|for|during) (?:all|the whole) of \d{4}\b"
    r"|\bmanaged? to\b|\bnot\s+(?:only|just|merely|least)\b|\bnothing\s+but\b|\bof course\b|\ball (?:the way|along"
    r"|in all|told)\b"
    r"|\bno\s+(?:matter|doubt|wonder|difference|trouble|question|problem|rush|hurry|secret|surprise|accident|fuss|drama)\b"
)
"""Phrases whose "no" or "all" denies nothing and claims nothing."""
_FREE_OF = re.compile(r"\b([a-z]+)-free\b")
_DENIAL = re.compile(
    r"\b(?:instead of|rather than|in place of|as opposed to|anything but|far from|no longer|(?:not|no) any ?(?:more|longer)"
    r"|(?:keeps?|kept|stays?|holds?|held) (?:out of|away from|off))\b"
    r"|\b(?:stop(?:s|ped)?|quits?|ceases?|gives? up) (?=\w+ing\b)|\bout of (?=(?:\w+ )?(?:order|step|reach|sight))"
    r"|(?:^|[.,;:·]\s)few(?: of)?\b|\b(?:an)?other (?=\w+ than\b)"
)
"""Phrases that deny what comes after them."""
_REPLACED = re.compile(r"\breplac(?:e|es|ed) ([^.;·]+?) (?:by|with) ")
_IN_PLACE = re.compile(r"\b(?:instead|in place) of (?:the |its |their )?(?P<old>[^.,;:!?·]+)")
_LIMIT = re.compile(
    r"\bonly\s+(?:after|once|if|when|where|with|without|for)\b|\b(?:unless|except|excluding|(?:as|so) long as|provided that"
    r"|apart from|other than|but not)\b"
)
_UNATTENDED = re.compile(r"(?<=\w )(?:while you|wherever you|from anywhere|even (?:after|once))\b")
_BOUND = re.compile(r"\b(?:until|unless|before)\b(?P<rest>[^.;]*)")
_BOUNDS = frozenset({"until", "till", "before", "once", "after", "when", "unless", "first", "then"})
_DUTY = re.compile(r"\b(?:must|have to|has to|needs? to|required to|obliged)\b")
_FREED = re.compile(r"\b(?:not|no|never|nobody|without|who|if|when|should)\b[^.,;:]{0,50}$|n't $")
_EXCLUSIVE = frozenset({"only", "solely", "exclusively", "nothing", "no", "just", "none"})
_BESIDES = frozenset({"else", "also", "more", "besides", "too", "other", "others"})
_OTHER_WAY = {"on": "off", "off": "on", "in": "out", "out": "in", "up": "down", "down": "up"}
_PARTICLE = re.compile(r"\b(\w+) (on|off|in|out|up|down)\b")
_PARTICLE_FIRST = re.compile(r"\b(?:take|put|keep|have) (?P<particle>on|off) (?:your|the|his|her|their) (?P<noun>\w+)")
_BEFORE = re.compile(r"\bbefore (?:you|they|he|she|it|anyone|anybody) ([a-z]+)")
_AFTER = re.compile(
    r"\b(?:after|once|when) (?:you|they|he|she|it|anyone|anybody)(?:'ve|'s)? (?P<what>(?:have |has |had )?[a-z]+)"
)
_OTHER_DAY = re.compile(
    r"\b(?:the (?:day|night|week|month|year|season) (?:before|after)|yesterday|tomorrow"
    r"|the (?:previous|next|following) (?:day|night|morning|week|month|year|season))\b"
)
_NO = re.compile(r"\bno (\w+)")
_NOT_YET = re.compile(r"\b(?:not|n't) (?:\w+ )?yet\b|\byet to\b")
_ASKS_WHY = re.compile(
    r"·\s+(?:also\s+)?(?:tells|notes|shows|knows|sees|records|logs)\b[^.;:]*\b(?P<why>why|where|how)\b(?! many| much)"
)
_SCOPE = 3  # content words after a negation that it may reach


def without_idle(text: str) -> str:
    """`text` without phrases that deny nothing."""
    whole = text.replace("can't", "cannot").replace("won't", "will not").replace("in order to ", "to ")
    return _FREE_OF.sub(r"no \1", _IDLE.sub("up to", whole))


def contradictions(sentence: Sentence, draft: Draft) -> Iterator[str]:
    """What a claim denies that its facts state, or states that they deny, in words."""
    rules = draft.terms.rules
    of_facts = [draft.own_words(fact.text) for fact in sentence.usable]
    held = frozenset[str]().union(*map(stems, of_facts))
    text = _without_replaced(draft.own_words(sentence.text), " · ".join(of_facts))
    ours = _polarity(text, rules.light, rules.opposite_stems, _DENIES - held)
    theirs = [_polarity(fact, rules.light, rules.opposite_stems, frozenset()) for fact in of_facts]
    for word in sorted(ours.negated):
        touched = [one for one in theirs if word in one.words]
        if touched and not any(word in one.negated | one.in_scope for one in touched):
            yield f"denies {word!r}, which the fact states"
    for one in theirs:
        for word in sorted(one.negated):
            if word in ours.words and word not in ours.negated | ours.in_scope:
                yield f"states {word!r}, which the fact denies"
    said = stems(text)
    for mine, other in rules.contrast_stems:
        if mine in said and other not in said and other in held and mine not in held:
            yield f"says {mine!r} where the fact says {other!r}"
    yield from _particles(plain(text), " · ".join(of_facts))
    yield from _order(plain(text), " · ".join(of_facts))
    yield from _limits(plain(text), " · ".join(of_facts))
    for fact in of_facts:
        bound = None if _BOUNDS & set(words(text)) else _BOUND.search(fact)
        if bound and len((stems(bound["rest"]) - rules.light) & said) > 1:
            yield f"leaves out {bound[0].split()[0]!r}, as the fact has it"


def _without_replaced(said: str, facts: str) -> str:
    """`said` without "instead of …", where it names only what a fact says was replaced."""
    replaced = stems(" ".join(_REPLACED.findall(facts)))
    found = _IN_PLACE.search(said) if replaced else None
    return _IN_PLACE.sub(" ", said) if found and stems(found["old"]) <= replaced else said


def _particles(said: str, facts: str) -> Iterator[str]:
    """ "Gloves off" where the fact has "gloves on"."""
    for noun, particle in _PARTICLE.findall(_PARTICLE_FIRST.sub(r"\g<noun> \g<particle>", said)):
        other = _OTHER_WAY[particle]
        if f"{noun} {other}" in facts and f"{noun} {particle}" not in facts and f"{noun} {other}" not in said:
            yield f"says {particle!r} where the fact says {other!r}"


def _order(said: str, facts: str) -> Iterator[str]:
    """ "Once you have decided" where the fact has "before you decide", and "the day before" where it has "that day"."""
    before = {stem(match[1]) for match in _BEFORE.finditer(facts)}
    for found in _AFTER.finditer(said):
        if any(stem(word) in before for word in words(found["what"])) and not _AFTER.search(facts):
            yield f"says {found[0]!r} where the fact says 'before'"
    if (day := _OTHER_DAY.search(said)) and day[0] not in facts:
        yield f"says {day[0]!r}, which the fact does not"


def _limits(said: str, facts: str) -> Iterator[str]:
    if (found := _LIMIT.search(said)) and not _LIMIT.search(facts):
        yield f"limits with {found[0]!r} what the fact says without"
    if (found := _DUTY.search(said)) and not _FREED.search(said[: found.start()]) and not _DUTY.search(facts):
        yield f"makes a duty of it with {found[0]!r}"
    if (found := _UNATTENDED.search(said)) and found[0] not in facts:
        yield f"adds {found[0]!r}"
    for noun in _NO.findall(said):
        if f"no {noun}" not in facts and re.search(rf"\b(?:any|every|each|all) {noun}s?\b", facts):
            yield f"says 'no {noun}' where the fact says any"
    if _NOT_YET.search(said) and "already" in words(facts):
        yield "says 'not yet' where the fact says 'already'"
    if (found := _ASKS_WHY.search(said)) and not re.search(rf"\b(?:{found['why']}|reasons?)\b", facts):
        yield f"says {found['why']!r}, which the fact does not"
    spoken = set(words(said))
    if "only" in words(facts) and "more than" in said and "more than" not in facts:
        yield "says 'more than' where the fact says 'only'"
    if "nothing else" in facts and not spoken & _EXCLUSIVE and (wide := spoken & _BESIDES):
        yield f"says {min(wide)!r} where the fact says 'nothing else'"
    if "only" in words(facts) and not spoken & _EXCLUSIVE and (wide := spoken & ABSOLUTES - set(words(facts))):
        yield f"says {min(wide)!r} where the fact says 'only'"


@dataclass(frozen=True)
class _Polarity:
    """The content stems of a text: all, those right behind a negation, and those that one may reach."""

    words: Stems
    negated: Stems
    in_scope: Stems


@lru_cache(maxsize=4096)
def _polarity(text: str, light: Stems, opposite_stems: frozenset[tuple[str, str]], denying: Stems) -> _Polarity:
    opposites = dict(opposite_stems)
    content, negated, in_scope = set[str](), set[str](), set[str]()
    said = _DENIAL.sub(" not ", without_idle(plain(text)))
    for clause in re.split(r"[.,;:!?–—()]", said.replace("n't ", " not ").replace("cannot", "can not")):
        reach = 0
        for word in words(clause):
            root = stem(word)
            if word in _NEGATES or root in denying:
                reach = _SCOPE
                continue
            if root in COUNTS or (root in light and root not in opposites):
                continue
            if root in opposites:
                content.add(opposites[root])
                (in_scope if reach else negated).add(opposites[root])
                continue
            content.add(root)
            if reach:
                (negated if reach == _SCOPE else in_scope).add(root)
                reach -= 1
    return _Polarity(frozenset(content), frozenset(negated), frozenset(in_scope))
