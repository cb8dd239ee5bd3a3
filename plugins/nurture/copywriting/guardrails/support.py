"""How far the facts carry a sentence: by stems, synonyms and polarity. Deterministic; no model judges another.

A claim's words must stand in the facts that it may rest on, or mean the same there. Words that claim nothing are left
out. What is left over, a flipped negation and a swapped contrast (more for less) lower the score.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from nurture.copywriting.copy_rules import CopyRules
from nurture.copywriting.facts import Fact
from nurture.copywriting.figures import figures, plain
from nurture.copywriting.guardrails.deeds import CARRIERS, EVERYDAY, deeds
from nurture.copywriting.guardrails.draft import Draft, Sentence
from nurture.copywriting.guardrails.lead_ins import GLANCE, LOOKED, PRODUCT, of_reader
from nurture.copywriting.guardrails.polarity import ABSOLUTES, COUNTS, contradictions, without_idle
from nurture.copywriting.guardrails.promises import promises
from nurture.copywriting.guardrails.pronouns import HAPPENING, speaks_of_it
from nurture.copywriting.stems import Stems, stem, stems, words

UNKNOWN, IN_OFFER, IN_ADDRESS, READER, OUTCOME, ABSOLUTE, CONTRADICTION = 1.0, 0.25, 0.06, 0.5, 1.5, 1.0, 2.0
"""What one word, or one contradiction, weighs against a claim."""

MOST_MATCHED = 4  # that more words match does not make a strange one any truer

_KIND = re.compile(rf"\b(?:the|an?|this|your) (?P<kind>\w+)\b(?! (?:(?!{LOOKED})you|that|which))")
"""What a product is called by its kind; not "the device you have"."""

_THE_PRODUCT = re.compile(r"\W*(?:and |but )?the (?:product|tool)\b")

_ADDED = re.compile(
    r"(?<!between \w\w\w )(?<!between \w\w\w\w )(?<!between \w\w\w\w\w )"
    r"(?<=\s)(?:and|or|plus|as well as|by(?! \w+ly\b)|via)\s+"
    r"(?:(?:every|each|the|your|their|his|her|its|an?|all|even|also|with|by|in|on|for|to)\s+)*([a-z]+)"
)
"""What stands beside what the facts have: a word that claims nothing elsewhere adds a thing there."""


_COMPANY = frozenset(
    {
        "company",
        "firm",
        "firms",
        "customer",
        "customers",
        "name",
        "neighbour",
        "peer",
        "fellow",
        "elsewhere",
        "field",
        "trade",
        "sector",
        "industry",
    }
)
"""What a customer that the piece names may be called, and the reader's business that is also his."""

_OF_PEOPLE = stems("know think want like remember ask say")


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
    of_topics = frozenset[str]().union(*(_trade(fact, draft) for fact in sentence.usable))
    grounds, reached = rules.company_facts | of_facts, rules.groups_of(of_facts)
    if not sentence.is_marked:
        reached |= rules.company_groups
    said = plain(draft.bare(sentence.text))
    text = sentence.text.replace("{company}", "your firm")
    about_reader = of_reader(plain(draft.bare(text)), plain(draft.unnamed(text)), rules, draft.terms.topics)
    did = _did(sentence, draft)
    spoken_of = sentence.subject or frozenset[str]().union(*(draft.entities(fact.text) for fact in sentence.usable))
    own = _own_names(spoken_of) if spoken_of else frozenset[str]()
    if any(draft.entities(fact.text) & draft.terms.customers & draft.named for fact in sentence.usable):
        own |= _COMPANY
    own |= {found["kind"] for found in _KIND.finditer(said) if own.intersection(rules.called.get(found["kind"], ()))}
    if spoken_of - draft.terms.customers and (GLANCE.search(said) or _THE_PRODUCT.match(said)):
        own |= PRODUCT
    has_figure = bool(figures(draft.bare(sentence.text)))
    added = {match[1] for match in _ADDED.finditer(said)} if sentence.is_marked and sentence.role == "claim" else set[str]()
    opposites = dict(rules.opposite_stems)
    weight, matched, missing = 0.0, 0, []
    for word in dict.fromkeys(words(without_idle(said))):
        root = stem(word)
        is_alike = bool(rules.groups.get(root, frozenset()) & reached) or opposites.get(root) in grounds
        if root in of_facts or (root in grounds and word not in added) or (sentence.usable and is_alike):
            matched += root not in rules.light
            continue
        most = IN_ADDRESS if word in about_reader or root in of_topics else UNKNOWN * 2
        counts = min(_weight(word, root, sentence, rules, did, own), most)
        in_title = not sentence.part.startswith("body") and not sentence.names_us and not sentence.subject
        of_title = has_figure and in_title and root not in rules.outcomes and word not in ABSOLUTES
        if of_title or (root in rules.scene and not sentence.is_marked and (has_figure or in_title)):
            counts = min(counts, IN_OFFER)
        elif word in added - own and root not in rules.light and root not in COUNTS and word not in about_reader:
            counts = UNKNOWN
        if counts:
            weight += counts
            missing.append(word)
    if sentence.role == "claim" and not sentence.is_marked and matched < 2 and promises(said, rules):
        weight += OUTCOME
    if matched >= MOST_MATCHED and len(missing) == 1 and stem(missing[0]) in CARRIERS:
        weight = 0.0
    if sentence.part == "headline" and matched >= 2 and len(missing) == 1 and _is_topic(missing[0], rules, added):
        weight = min(weight, IN_OFFER)
    found = tuple(contradictions(sentence, draft)) if sentence.role == "claim" and sentence.usable else ()
    weight += CONTRADICTION * len(found)
    return Support(max(0.0, 1 - weight / (1 + min(matched, MOST_MATCHED) / 2)), tuple(missing), found)


def _trade(fact: Fact, draft: Draft) -> Stems:
    """The topics of a fact about a customer: they say in what business it is."""
    is_of_customer = draft.entities(fact.text) & draft.terms.customers
    return stems(" ".join(fact.topics).replace("_", " ")) if is_of_customer else frozenset()


def _is_topic(word: str, rules: CopyRules, added: set[str]) -> bool:
    """Whether it is a thing of the reader's day, which a headline names beside what its fact speaks of."""
    root = stem(word)
    return root in rules.reader and root not in rules.outcomes | EVERYDAY and word not in added


def _did(sentence: Sentence, draft: Draft) -> Stems:
    """The verbs of what the sentence says that we, a product or people do."""
    if sentence.role != "claim":
        return frozenset()
    if sentence.is_marked:
        return deeds(plain(draft.without_us(sentence.text)))
    if sentence.part.startswith("body") and speaks_of_it(sentence.text):
        return deeds(plain(draft.without_us(sentence.text))) - stems(HAPPENING) - _OF_PEOPLE
    return frozenset()


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
        return (UNKNOWN if sentence.is_marked else READER) if claims else 0.0
    if claims:
        return UNKNOWN
    return IN_OFFER if sentence.subject or sentence.names_us else IN_ADDRESS


@lru_cache(maxsize=256)
def _own_names(spoken_of: frozenset[str]) -> frozenset[str]:
    """The parts of the names that it speaks of, which are checked as names, and their kind ("printer" for Print)."""
    parts = frozenset(part for name in spoken_of for part in words(name))
    return parts.union(part + end for part in parts for end in ("er", "ers", "ner", "ners"))
