"""Sentences without a marker that say what an offered fact says, while the piece does not cite that fact."""

import re
from collections.abc import Iterator
from functools import cache

from nurture.copywriting.english import ENGLISH
from nurture.copywriting.figures import plain
from nurture.copywriting.guardrails.draft import Draft, Sentence
from nurture.copywriting.guardrails.lead_ins import LOOKED, PRODUCT
from nurture.copywriting.guardrails.roles import is_statement
from nurture.copywriting.guardrails.terms import Terms
from nurture.copywriting.stems import Stems, stem, stems, words

SAME, ALIKE = 1.0, 0.8
"""What a word of the sentence counts that stands in the fact, and one that is a synonym of one there."""

MOST_OF_IT = 0.66
"""The share of the sentence's words that the fact must have."""

FEWEST, CLEARLY = 2.6, 1.5
"""How many words the fact must have, and how many more than any fact that the piece does cite."""

_STATES = re.compile(
    r"\W*(?:(?:and|but|so|then|also|yes)\b\W*)?(?!you (?:can't|cannot))(?:your?|broken|lost|wrong|damaged|nobody|no"
    r"|no one|someone|somebody|people|each|every|all|the|an?|it|they|there)\b"
)
"""How statements about what we offer begin; those about the world mostly begin with a plural."""

_OURS = re.compile(
    r"\b(?:we|our (?:team|people|colleagues|engineers?|experts|staff|support)|(?:someone|somebody) (?:from our team"
    r"|of ours|here))\s+"
    r"(?:(?:always|also|even|gladly|simply|just|then|personally)\s+)*"
    r"(?:answers? (?:with|in|every|any|all)\w*|comes? to|looks? after|takes? care|cares? for|sets? (?:it|everything"
    r"|up)|works? (?:a|round|day)\w*"
    r"|calls? (?:you )?back|visits?|handles?|responds?|installs?|maintains?|updates?|upgrades?|migrates?|configures?|trains?"
    r"|teach(?:es)?|monitors?|watch(?:es)?|protects?|backs? up|manages?|customi[sz]es?|insures?)\b"
    r"|\b(?:a|one) (?:colleague|engineer|specialist|expert|consultant)(?: of ours| from here)?"
    r" (?:will|can|comes?|calls?|visits?|sets?)\b"
    r"|(?<!you )\b(?:trust|love|recommend|prefer|praise|rely on|swear by|choose|chose) us\b|\b(?:more|less|fewer"
    r"|better) with us\b"
    r"|\bwe (?:take|buy|collect|accept) (?:back )?your (?:\w+ )?(?:scanners?|printers?|devices?|handhelds?)\b"
    r"|\bof ours \w+s\b|\bwe(?:'ve| have) been (?:around|here|in|doing)\b|\bwe (?:all )?speak\b"
    r"|^\W*(?:support|training|delivery|shipping|repairs?) (?:is|are|comes?) (?:included|with|free|part)\b"
    r"|^\W*you (?:may|can) (?:return|cancel|swap|exchange|refund) (?:it|them|one)\b"
    r"|^\W*your (?:team|people|pickers|staff|colleagues) (?:learns?|loves?|understands?|masters?) (?:it|them)\b"
    r"|^\W*you(?:r \w+)? (?!(?:can |may |could )?(?:talk|speak|chat|share|discuss|meet|stay|get in touch)"
    r"|[^?]*\bwho\b)[^?]*\bwith us\W*$"
    r"|^\W*(?:installation|installing|set-?up|setting up|onboarding|switching|upgrades?|updates?|the (?:software|app"
    r"|battery|api))"
    r"\s+(?:is|are|takes?|comes?|lasts?|works?|does|runs?|needs?|stays?|keeps?|reads?|tells?|counts?|sends?|shows?|costs?)\b"
)
"""What we or our things do, said in passing."""

_THEIRS = re.compile(
    r"\W*(?:(?:and|but|so|now|then)\s+)?"
    r"(?:(?:another|one) (?:retailer|customer|company|firm|clinic|team) (?!that|who|which)\w+"
    rf"|(?:·|the (?P<kind>\w+)(?: {LOOKED})?)(?:,[^,]{{3,40}},)?"
    r" (?!is where|you|and|or)\w+s)\b"
)
"""What begins with a product, or a customer, and says what it does: "The handheld you looked at works at the shelf"."""

_PASSIVE = re.compile(
    r"(?P<thing>(?:(?:every|each|all|any|the|your|broken|lost|wrong|damaged) )(?:\w+ ){1,3}?(?:is|are"
    r"|gets?)) (?:\w+ly )?\w+(?:ed|en|wn|pt|nt)\b"
)
_MAY = re.compile(
    r"(?:you|your team|your people) (?:can|may|will|get|sign|keep|take)\b|(?:nobody|no one|somebody who|someone who)\b"
    r"|(?P<thing>your \w+) (?:can|may|stays?|comes?)\b|no\b"
)
"""Where two words are enough: what the reader may do, and what is not needed."""


def uncited(draft: Draft) -> Iterator[str]:
    """A statement to the reader nearly every word of which stands in one fact that is cited nowhere in the piece."""
    for sentence in draft.sentences:
        if sentence.is_marked:
            yield from _elsewhere(sentence, draft)
            continue
        if not sentence.part.startswith("body") or sentence.text.endswith("?"):
            continue
        if found := _OURS.search(plain(draft.bare(sentence.text))):
            yield f"{sentence.text[:120]!r} says without a fact what {found[0]!r}"
            continue
        if not is_statement(draft.bare(sentence.text)):
            continue
        if _is_of_theirs(sentence, draft):
            yield f"{sentence.text[:120]!r} says without a fact what a product or a customer does"
            continue
        if not _STATES.match(plain(sentence.text)):
            continue
        said = [root for root in dict.fromkeys(map(stem, words(draft.own_words(sentence.text)))) if root not in _function()]
        if len(said) < 2:
            continue
        matches = _matches(said, draft.terms)
        cited = max((matches.get(fact_id, 0.0) for fact_id in draft.piece.cited_fact_ids), default=0.0)
        may = _PASSIVE.match(plain(sentence.text)) or (_MAY.match(plain(sentence.text)) if len(said) == 2 else None)
        fewest = FEWEST if not may else SAME + ALIKE if may.groupdict().get("thing") else SAME + SAME
        for fact_id, matched in sorted(matches.items()):
            if matched >= max(fewest, MOST_OF_IT * len(said), cited + CLEARLY):
                yield f"{sentence.text[:120]!r} says what {fact_id} says, and does not cite it"
                break


def _is_of_theirs(sentence: Sentence, draft: Draft) -> bool:
    """Whether it says what a product or a customer does."""
    found = _THEIRS.match(plain(draft.bare(sentence.text)))
    is_ours = found is not None and (found["kind"] is None or found["kind"] in PRODUCT.union(draft.terms.rules.called))
    return is_ours or bool(draft.entities(sentence.text) & draft.terms.customers)


def _elsewhere(sentence: Sentence, draft: Draft) -> Iterator[str]:
    """A sentence every word of which stands in a fact that it does not cite, and two of them not in those that it cites."""
    said = [root for root in dict.fromkeys(map(stem, words(draft.own_words(sentence.text)))) if root not in _function()]
    cited = frozenset[str]().union(*(stems(fact.text) for fact in sentence.cited))
    if len(said) < FEWEST or sum(root not in cited for root in said) < 2:
        return
    facts = [draft.terms.facts_by_stem.get(root, frozenset()) for root in said]
    if found := frozenset.intersection(*facts) - set(draft.piece.cited_fact_ids):
        yield f"{sentence.text[:120]!r} says what {min(found)} says, and cites another fact"


def _matches(said: list[str], terms: Terms) -> dict[str, float]:
    """Offered fact → how many of the words `said` it has."""
    found: dict[str, float] = {}
    opposites = dict(terms.rules.opposite_stems)
    for root in said:
        things = terms.rules.called_stems.get(root, (root,))
        same = frozenset[str]().union(*(terms.facts_by_stem.get(thing, ()) for thing in things))
        groups = terms.rules.groups.get(root, ())
        opposite = terms.facts_by_stem.get(opposites.get(root, ""), frozenset())
        alike = opposite.union(*(terms.facts_by_group.get(group, ()) for group in groups)) - same
        for ids, counts in ((same, SAME), (alike, ALIKE)):
            for fact_id in ids:
                found[fact_id] = found.get(fact_id, 0.0) + counts
    return found


@cache
def _function() -> Stems:
    return stems(" ".join(sorted(ENGLISH))) | stems("somebody someone anybody people thing things yours ours")
