"""What a figure of a fact rests on: a study, a customer, a place, a time or a rhythm. Without it the figure says more."""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain, permutations

from nurture.copywriting.facts import Fact
from nurture.copywriting.figures import figures, plain
from nurture.copywriting.figures.number_words import NUMBER_WORDS
from nurture.copywriting.guardrails.draft import Draft, Sentence
from nurture.copywriting.stems import stems

_STUDY = re.compile(r"\b(?:study|survey|test|trial|sample) of (?P<sample>\d+ \w+)")
_STUDIED = re.compile(r"\b(?:stud(?:y|ies|ied)|surveys?|surveyed|tests?|tested|measured|measurement|sample)\b")
_RHYTHM = re.compile(r"\b(?:daily|weekly|monthly|yearly)(?= \w+ (?:with|of|in)\b)")
_US = re.compile(r"\bUS\b")
_SOMEONE = re.compile(
    r"\b(?:it|its|they|their|there|the (?:company|firm|business|same)"
    r"|one (?:customer|company|of our)|a (?:customer|company))\b"
)
"""How a customer that was named before is spoken of."""
_IMPERSONAL = re.compile(r"\bit (?:only |just )?(?:takes?|took|can take)\b")


_ONE = r"\b(?:an?|one|a single|each|every)(?: \w+)? "
_SEVERAL = rf"\b(?:\d+|{'|'.join(word for word, value in NUMBER_WORDS.items() if value > 1)}) "


def fewer_devices(draft: Draft) -> Iterator[str]:
    """What two devices do, said of one."""
    for sentence in draft.sentences:
        said = plain(sentence.text)
        for name in draft.entities(sentence.text) - draft.terms.customers:
            many = re.compile(rf"{_SEVERAL}{re.escape(name)}(?!\w)")
            if re.search(rf"{_ONE}{re.escape(name)}(?!\w)", said) and not many.search(said):
                yield from (f"says one of what {fact.id} has several of"
                            for fact in sentence.usable if many.search(plain(fact.text)))  # fmt: skip


def dropped_basis(draft: Draft) -> Iterator[str]:
    """A figure that only holds in a study, for a customer, in a place, in a time or by a rhythm, said without it."""
    said = [plain(_US.sub("United States", sentence.text)) for sentence in draft.sentences]
    for place, sentence in enumerate(draft.sentences):
        if sentence.role == "address" or not sentence.part.startswith("body"):
            continue
        if sentence.is_marked:
            yield from _of_everyone(sentence, draft)
        measured = _measures(draft.bare(sentence.text))
        yield from _of_both(sentence, measured, draft)
        whose = [draft.entities(fact.text) & draft.terms.customers for fact in sentence.usable]
        if measured and whose and all(whose) and _OF_READER.match(said[place]):
            yield "says of the reader, or of everyone, what a customer measured"
        around = " ".join(said[max(0, place - 1) : place + 1] if sentence.is_marked else said)
        same = [fact for fact in sentence.usable if measured & _measures(draft.bare(fact.text))] if measured else []
        dropped = [list(_dropped(sentence, fact, around, draft)) for fact in same]
        if all(dropped):  # one fact whose basis it keeps is enough
            yield from chain.from_iterable(dropped)


def _of_everyone(sentence: Sentence, draft: Draft) -> Iterator[str]:
    """What one customer does, said of nobody in particular in a piece that does not name him."""
    whose = [draft.entities(fact.text) & draft.terms.customers for fact in sentence.cited]
    everyone = frozenset[str]().union(*whose)
    is_of_someone = _SOMEONE.search(_IMPERSONAL.sub("", plain(sentence.text)))
    if whose and all(whose) and not everyone & draft.named and not is_of_someone:
        yield f"without {', '.join(sorted(everyone))}, of whom the facts speak"


def _dropped(sentence: Sentence, fact: Fact, around: str, draft: Draft) -> Iterator[str]:
    of_fact = plain(fact.text)
    if (study := _STUDY.search(of_fact)) and not (_STUDIED.search(around) or study["sample"] in around):
        yield f"without the study that {fact.id} rests on"
    if (rhythm := _RHYTHM.search(of_fact)) and not re.search(rf"\b{rhythm[0].removesuffix('ly').rstrip('i')}", around):
        yield f"without {rhythm[0]!r}, as {fact.id} has it"
    if fact.regions and not any(draft.terms.rules.place(region).search(around) for region in fact.regions):
        yield f"without the place in which {fact.id} holds"
    who = draft.entities(fact.text) & draft.terms.customers
    if who and not who & draft.entities(around) and not _SOMEONE.search(_IMPERSONAL.sub("", plain(sentence.text))):
        yield f"without {', '.join(sorted(who))}, of whom {fact.id} speaks"
    if (when := _times(of_fact)) and not when & _times(around):
        yield f"without the time in which {fact.id} holds"
    kinds = [stems(draft.bare(kind)) - draft.terms.rules.light for kind in _WHO.findall(of_fact)]
    if any(len(kind) > 1 and not kind & stems(around) for kind in kinds):
        yield f"without which of them {fact.id} speaks of"
    if (spot := _SPOT.search(of_fact)) and spot[1] not in around:
        yield f"without {spot[0]!r}, where {fact.id} was measured"
    if (first := _FIRST.search(of_fact)) and not re.search(rf"\b{first[1]}|\b(?:first|initial|after|within)\b", around):
        yield f"without {first[0]!r}, as {fact.id} has it"


def _of_both(sentence: Sentence, measured: frozenset[tuple[str, str]], draft: Draft) -> Iterator[str]:
    """A figure said of two customers in one breath ("both A and B") that the facts have of one."""
    named = draft.entities(sentence.text) & draft.terms.customers if measured else frozenset[str]()
    for one, other in permutations(sorted(named), 2):
        if not re.search(
            rf"{re.escape(one)} (?:and|or|as well as|like|just like|plus) {re.escape(other)}(?!\w)", plain(sentence.text)
        ):
            continue
        for name in (one, other):
            theirs = [_measures(draft.bare(fact.text)) for fact in sentence.usable if name in draft.entities(fact.text)]
            if not measured <= frozenset[tuple[str, str]]().union(*theirs):
                yield f"says of {name} what is measured of another customer"


@lru_cache(maxsize=4096)
def _measures(text: str) -> frozenset[tuple[str, str]]:
    """What `text` measures: percentages, prices, times, counts and weekdays; not two or three of something, nor dates."""
    return frozenset(
        (one.value, one.unit)
        for one in figures(text)
        if (one.kind == "number" and one.unit != "th" and (one.unit or len(one.value) > 1))
        or (one.kind == "pace" and one.value.endswith("day"))
    )


_WHO = re.compile(r"\b(?:teams?|sites?|customers?|warehouses|companies) (?:that|who|which) ((?:\w+ ){2,3})")
_OF_READER = re.compile(
    r"\W*(?:and |but |so )?(?:you|your (?:\w+ ){0,3}?\w+(?:,[^,]{3,40},)?)"
    r" (?!know|looked|may|might|asked|were|had|have|saw)\w+"
    r"|.*\b(?:every|any|each|all) (?:plants?|warehouses?|teams?|sites?|company|companies|customers?|shops?|firms?|stores?)\b"
)
_SPOT = re.compile(r"\bat the \w+ (bench|desk|dock|gate|till|counter|door)\b")
_FIRST = re.compile(r"\b(?:in|within|during) (?:its|the|their) first (?:\w+ )?(day|week|month|quarter|season|year)")
_TIME = re.compile(r"\b(?:20\d\d|january|february|march|april|june|july|august|september|october|november|december)\b")


@lru_cache(maxsize=4096)
def _times(text: str) -> frozenset[str]:
    return frozenset(_TIME.findall(text))
