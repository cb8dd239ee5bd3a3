"""How far the facts carry a sentence: by stems, synonyms and polarity. Deterministic; no model judges another.

A claim's words must stand in the facts that it may rest on, or mean the same there. Words that claim nothing are left
out. What is left over, a flipped negation and a swapped contrast (more for less) lower the score.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from nurture.copywriting.copy_rules import CopyRules
from nurture.copywriting.figures import plain
from nurture.copywriting.figures.number_words import NUMBER_WORDS, ORDINALS
from nurture.copywriting.figures.units import CURRENCY_WORDS, TIME_UNITS
from nurture.copywriting.guardrails.draft import Draft, Sentence
from nurture.copywriting.stems import Stems, stem, stems, words

UNKNOWN, IN_OFFER, IN_ADDRESS, READER, OUTCOME, ABSOLUTE, CONTRADICTION = 1.0, 0.5, 0.1, 0.5, 1.5, 0.5, 2.0
"""What one word, or one contradiction, weighs against a claim."""

MOST_MATCHED = 4  # that more words match does not make a strange one any truer

_NEGATES = frozenset(
    {"no", "not", "never", "without", "nobody", "nothing", "none", "neither", "nor", "avoid", "avoids", "hardly"}
)
_ABSOLUTES = frozenset(
    {"every", "all", "always", "never", "entire", "fully", "complete", "everyone", "everywhere", "anywhere"}
)
_COUNTS = frozenset(
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
_BOUND = re.compile(
    r"\b(?:never|no|not)\s+(?:more|less|fewer|longer|later)\s+than\b"
    r"|\b(?:not\s+)?(?:after|at|above|first of|is|was)\s+all\b|\ball\s+(?:the same|the best|right)\b"
)
"""Phrases whose "no" or "all" denies nothing and claims nothing."""
_LEAD_IN = re.compile(
    r"[^·:]{3,90}:(?=\s)"
    r"|\W*(?:(?:and|but|or|so)\s+)?(?:if|when|whenever|should|since|as|because|while)\s+"
    r"(?:you|your|a|an|the|someone|somebody|one|it|there|something|things|nobody)\b[^,:·]{3,80}[,:]"
)
"""Words about the reader before the claim: "If you like spreadsheets, …"."""
_SCOPE = 3  # content words after a negation that it may reach


@dataclass(frozen=True)
class Support:
    """Attributes:
    score: 1 when the facts carry every word of the sentence, 0 when they carry none that matters.
    missing: words that nothing carries.
    """

    score: float
    missing: tuple[str, ...] = ()
    contradictions: tuple[str, ...] = ()


@lru_cache(maxsize=64)
def supports(draft: Draft) -> tuple[Support, ...]:
    """The support of every sentence of a draft."""
    return tuple(support(sentence, draft) for sentence in draft.sentences)


def support(sentence: Sentence, draft: Draft) -> Support:
    """How far the sentence's facts carry it; 1 for a sentence that claims nothing."""
    if sentence.role == "address":
        return Support(1.0)
    rules = draft.terms.rules
    of_facts = frozenset[str]().union(*(stems(draft.bare(fact.text)) for fact in sentence.usable))
    grounds, reached = rules.company_facts | of_facts, rules.company_groups | rules.groups_of(of_facts)
    said = plain(draft.bare(sentence.text))
    lead_in = _LEAD_IN.match(said)
    of_reader = set(words(lead_in[0])) - set(words(said[lead_in.end() :])) if lead_in else set()
    weight, matched, missing = 0.0, 0, []
    for word in dict.fromkeys(words(_BOUND.sub("up to", said))):
        root = stem(word)
        if root in grounds or (sentence.usable and rules.groups.get(root, frozenset()) & reached):
            matched += root not in rules.light
            continue
        counts = min(_weight(word, root, sentence, rules), IN_ADDRESS if word in of_reader else UNKNOWN * 2)
        if counts:
            weight += counts
            missing.append(word)
    found = tuple(_contradictions(sentence, draft)) if sentence.role == "claim" and sentence.usable else ()
    weight += CONTRADICTION * len(found)
    return Support(max(0.0, 1 - weight / (1 + min(matched, MOST_MATCHED) / 2)), tuple(missing), found)


def _weight(word: str, root: str, sentence: Sentence, rules: CopyRules) -> float:
    claims = sentence.role == "claim"
    if root in _COUNTS or root in rules.company_stems or len(word) < 2 or word in _own_names(sentence):
        return 0.0
    if claims and root in rules.outcomes:
        return OUTCOME
    if claims and sentence.usable and word in _ABSOLUTES:
        return ABSOLUTE
    if root in rules.light or root in rules.courtesy:
        return 0.0
    if root in rules.reader:
        return READER if claims else 0.0
    if claims:
        return UNKNOWN
    return IN_OFFER if sentence.subject or sentence.names_us else IN_ADDRESS


def _own_names(sentence: Sentence) -> set[str]:
    """The parts of the names that it speaks of, which are checked as names."""
    return {part for name in sentence.subject for part in words(name)}


def _contradictions(sentence: Sentence, draft: Draft) -> Iterator[str]:
    rules = draft.terms.rules
    ours, *theirs = (
        _polarity(draft.own_words(text), rules.light, rules.opposite_stems)
        for text in (sentence.text, *(fact.text for fact in sentence.usable))
    )
    for word in sorted(ours.negated):
        touched = [one for one in theirs if word in one.words]
        if touched and not any(word in one.negated | one.in_scope for one in touched):
            yield f"denies {word!r}, which the fact states"
    for one in theirs:
        for word in sorted(one.negated):
            if word in ours.words and word not in ours.negated | ours.in_scope:
                yield f"states {word!r}, which the fact denies"
    said = stems(sentence.text)
    for mine, other in rules.contrast_stems:
        if mine in said and other not in said:
            held = [stems(fact.text) for fact in sentence.usable if other in stems(fact.text)]
            if held and not any(mine in one for one in held):
                yield f"says {mine!r} where the fact says {other!r}"


@dataclass(frozen=True)
class _Polarity:
    """The content stems of a text: all, those right behind a negation, and those that one may reach."""

    words: Stems
    negated: Stems
    in_scope: Stems


@lru_cache(maxsize=4096)
def _polarity(text: str, light: Stems, opposite_stems: frozenset[tuple[str, str]]) -> _Polarity:
    opposites = dict(opposite_stems)
    content, negated, in_scope = set[str](), set[str](), set[str]()
    said = _BOUND.sub("up to", plain(text))
    for clause in re.split(r"[.,;:!?–—()]", said.replace("n't ", " not ").replace("cannot", "can not")):
        reach = 0
        for word in words(clause):
            root = stem(word)
            if word in _NEGATES:
                reach = _SCOPE
                continue
            if root in _COUNTS or (root in light and root not in opposites):
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
