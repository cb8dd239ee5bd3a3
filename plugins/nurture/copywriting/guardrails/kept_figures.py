"""Guardrails on figures: each is one of the facts', with its unit, rate and qualifier."""

import re
from collections.abc import Iterator

from nurture.copywriting.figures import Claim, covered_by, figures, plain, said_by
from nurture.copywriting.guardrails.draft import Draft, Sentence
from nurture.copywriting.guardrails.idle import is_idle_count, is_season
from nurture.copywriting.stems import stem, stems


def invented_figures(draft: Draft) -> Iterator[str]:
    for sentence in draft.sentences:
        for figure in figures(draft.bare(sentence.text)):
            covered = covered_by(_facts_of(draft, sentence))
            is_ours = sentence.is_marked or sentence.names_us or bool(draft.entities(sentence.text))
            if figure.found.endswith("-free") and f"no {figure.found.removesuffix('-free')}" in plain(_all_facts(draft)):
                continue
            promises, counts = _of_title(sentence, draft)
            is_said = not promises and (figure.kind == "pace" or is_season(figure))
            is_idle = sentence.role != "claim" and (is_said or (not is_ours and not counts and is_idle_count(figure)))
            if figure.claim not in covered and not is_idle:
                yield f"{figure.found!r} is in no fact cited for it"
    for text in draft.running_on:  # what only shows across two sentences
        for figure in figures(draft.bare(text)):
            idle = figure.kind == "pace" or is_idle_count(figure) or is_season(figure) or figure.found.endswith("-free")
            if figure.claim not in covered_by(_all_facts(draft)) and not idle:
                yield f"{figure.found!r} is in no cited fact"


def _of_title(sentence: Sentence, draft: Draft) -> tuple[bool, bool]:
    """Whether a headline or a button promises something, and whether what it counts stands in its facts ("two shifts")."""
    is_whole_part = sentence.text == draft.piece.texts[sentence.part].strip()
    if sentence.part.startswith("body") or not is_whole_part or sentence.text.endswith("?"):
        return False, False
    said = plain(sentence.text)
    return bool(_BETTER.search(said)), bool(stems(" ".join(_TWO.findall(said))) & stems(_facts_of(draft, sentence)))


_TWO = re.compile(r"\b(?:two|three) (\w+)")
_BETTER = re.compile(r"\b(?:fewer|less|more|better|faster|shorter|calmer|quicker|easier|right)\b")
"""What a headline or a button promises, beside a day or a season."""


def swapped_figures(draft: Draft) -> Iterator[str]:
    """What "used to" be, said to be so now, or the other way round."""
    for sentence in draft.sentences:
        for fact in sentence.usable:
            before = _claims(" ".join(_USED_TO.findall(plain(draft.bare(fact.text)))))
            if not before:
                continue
            said = plain(draft.bare(sentence.text))
            for found in _USED_TO.findall(said):
                for figure in figures(found):
                    if figure.kind == "number" and figure.value not in {value for _, value, _ in before}:
                        yield f"{figure.found!r} is not what it used to be"


_USED_TO = re.compile(r"\b(?:used to|instead of|down from|rather than|no longer)\b([^.;,·]*)")


def requoted_figures(draft: Draft) -> Iterator[str]:
    """Another rate ("a year" for "a month"), or a number counting something else."""
    for sentence in draft.sentences:
        said = figures(draft.bare(sentence.text))
        for figure in said:
            rates = {fact.per for fact in figures(_facts_of(draft, sentence)) if figure.claim in said_by(fact)}
            if rates and figure.per and figure.per not in rates:
                yield f"{figure.found!r} per {figure.per}; the fact has it per {', '.join(filter(None, rates)) or 'nothing'}"

        for noun in _EACH_OF.findall(plain(sentence.text)) if sentence.is_marked and said else ():
            if stem(noun) not in stems(_facts_of(draft, sentence)):
                yield f"a figure for each {noun}, which no fact cited for it says"
        for found in _OF_WHAT.finditer(plain(sentence.text)):
            if sentence.is_marked and found["noun"] not in plain(_facts_of(draft, sentence)):
                yield f"counts {found['noun']}, which no fact cited for it does"
        if any(figure.unit.isupper() for figure in said) or _BILLS.search(sentence.text):
            grounds = stems(_facts_of(draft, sentence))
            for noun in _BILLED_BY.findall(plain(sentence.text)):
                if stem(noun) not in grounds:
                    yield f"a price for each {noun}, which no fact cited for it says"
            together = _TOGETHER.search(plain(sentence.text))
            if together and together[0] not in plain(_facts_of(draft, sentence)):
                yield f"a price for {together[0]!r}, which no fact cited for it says"


_EACH_OF = re.compile(r"\b(?:each|every|any|a single) (\w+) of\b")
_OF_WHAT = re.compile(
    r"\b(?P<count>\d+) (?P<noun>studies|countries|companies|customers|cities|continents|industries|languages)\b"
)
_TOGETHER = re.compile(
    r"\b(?:all|both|two|three|several|any number of|unlimited|as many) (?:of )?(?:the |your |its |their )?"
    r"(?:sites|shops|locations|warehouses|buildings|users|teams|stores)\b|\bhowever many (?:sites|shops|locations)\b"
)
_BILLS = re.compile(r"\b(?:billed|charged|invoiced|bill|invoice|charge) (?:you )?(?=for|per|by)")
_BILLED_BY = re.compile(
    r"\b(?:per|for (?:each|every)|each|every|a|by the)\s+"
    r"(user|person|human|member|picker|head|seat|employee|shelf|scan|order|licen[cs]e|device|account|team|colleague|scanner|label|count|login|worker|bench|handheld|phone|aisle|parcel|country|company|piece|shop)\b"
)


def dropped_hedges(draft: Draft) -> Iterator[str]:
    """A figure without its qualifier or rate, or a fact about most that became one about all."""
    for sentence in draft.sentences:
        said = figures(draft.bare(sentence.text))
        for figure in said:
            same = [fact for fact in figures(_facts_of(draft, sentence)) if figure.claim in said_by(fact)]
            rates = {figure.per} if figure.per else {other.per for other in said if other.unit == figure.unit and other.per}
            if figure.kind != "pace" and same and figure.qualifier not in {fact.qualifier for fact in same}:
                yield f"{figure.found!r} with {figure.qualifier or 'no qualifier'!r}; no fact cited for it says it so"
            elif (
                figure.kind != "pace"
                and same
                and not (rates & {fact.per for fact in same})
                and all(fact.per for fact in same)
            ):
                yield f"{figure.found!r} without its rate: per {same[0].per}"
        yield from _dropped_most(draft, sentence)


def _dropped_most(draft: Draft, sentence: Sentence) -> Iterator[str]:
    hedges = draft.terms.rules.hedge_stems
    said = stems(_AT_MOST.sub("", plain(sentence.text)))
    if sentence.role == "address" or said & hedges:
        return
    for fact in sentence.usable:
        of_fact = stems(_AT_MOST.sub("", plain(fact.text)))
        dropped = of_fact & hedges
        if dropped and _claims(fact.text) & _claims(sentence.text) & _claims(_facts_of(draft, sentence)):
            yield f"without {', '.join(sorted(dropped))!r}, as the fact {fact.id} has it"


def _claims(text: str) -> set[Claim]:
    return {figure.claim for figure in figures(text)}


_AT_MOST = re.compile(r"\bat (?:the )?most\b")


def _facts_of(draft: Draft, sentence: Sentence) -> str:
    """The text of the facts that carry a sentence, each on its own, product names left out."""
    return " · ".join(draft.bare(fact.text) for fact in sentence.usable)


def _all_facts(draft: Draft) -> str:
    return " · ".join(draft.bare(fact.text) for fact in draft.cited)
