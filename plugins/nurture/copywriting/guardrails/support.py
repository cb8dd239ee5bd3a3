"""How far the facts carry a sentence: by stems, synonyms and polarity. Deterministic; no model judges another.

A claim's words must stand in the facts that it may rest on, or mean the same there. Words that claim nothing are left
out. What is left over, a flipped negation and a swapped contrast (more for less) lower the score.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from nurture.copywriting.copy_rules import CopyRules
from nurture.copywriting.figures import plain
from nurture.copywriting.guardrails.deeds import EVERYDAY, deeds
from nurture.copywriting.guardrails.draft import Draft, Sentence
from nurture.copywriting.guardrails.polarity import ABSOLUTES, COUNTS, contradictions, without_idle
from nurture.copywriting.stems import Stems, stem, stems, words

UNKNOWN, IN_OFFER, IN_ADDRESS, READER, OUTCOME, ABSOLUTE, CONTRADICTION = 1.0, 0.25, 0.06, 0.5, 1.5, 1.0, 2.0
"""What one word, or one contradiction, weighs against a claim."""

MOST_MATCHED = 4  # that more words match does not make a strange one any truer

_LEAD_IN = re.compile(
    r"[^·:]{3,90}:(?=\s)"
    r"|\W*(?:(?:and|but|or|so)\s+)?(?:if|when|whenever|should|since|as|because|while)\s+"
    r"(?:you|your|a|an|the|someone|somebody|one|it|there|something|things|nobody)\b[^,:·0-9]{3,80}[,:]"
)
"""Words about the reader before the claim: "If you like spreadsheets, …"."""


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
    did = deeds(plain(draft.without_us(sentence.text))) if sentence.is_marked and sentence.role == "claim" else frozenset()
    spoken_of = sentence.subject or frozenset[str]().union(*(draft.entities(fact.text) for fact in sentence.usable))
    own = _own_names(spoken_of) if spoken_of else frozenset[str]()
    weight, matched, missing = 0.0, 0, []
    for word in dict.fromkeys(words(without_idle(said))):
        root = stem(word)
        if root in grounds or (sentence.usable and rules.groups.get(root, frozenset()) & reached):
            matched += root not in rules.light
            continue
        counts = min(_weight(word, root, sentence, rules, did, own), IN_ADDRESS if word in of_reader else UNKNOWN * 2)
        if counts:
            weight += counts
            missing.append(word)
    found = tuple(contradictions(sentence, draft)) if sentence.role == "claim" and sentence.usable else ()
    weight += CONTRADICTION * len(found)
    return Support(max(0.0, 1 - weight / (1 + min(matched, MOST_MATCHED) / 2)), tuple(missing), found)


def _weight(word: str, root: str, sentence: Sentence, rules: CopyRules, did: Stems, own: frozenset[str]) -> float:
    claims = sentence.role == "claim"
    if root in COUNTS or root in rules.company_stems or len(word) < 2 or word in own:
        return 0.0
    if claims and root in rules.outcomes:
        return OUTCOME
    if claims and sentence.usable and word in ABSOLUTES:
        return ABSOLUTE
    if root in did and (root in EVERYDAY or root in rules.courtesy):
        return UNKNOWN
    if root in rules.light or root in rules.courtesy:
        return 0.0
    if root in rules.reader:
        return (UNKNOWN if sentence.is_marked else READER) if claims else 0.0
    if root in rules.scene:
        return UNKNOWN if claims and sentence.is_marked else 0.0
    if claims:
        return UNKNOWN
    return IN_OFFER if sentence.subject or sentence.names_us else IN_ADDRESS


@lru_cache(maxsize=256)
def _own_names(spoken_of: frozenset[str]) -> frozenset[str]:
    """The parts of the names that it speaks of, which are checked as names, and their kind ("printer" for Print)."""
    parts = frozenset(part for name in spoken_of for part in words(name))
    return parts.union(part + end for part in parts for end in ("er", "ers", "ner", "ners"))
