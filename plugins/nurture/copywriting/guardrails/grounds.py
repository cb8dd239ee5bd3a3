"""Guardrails on what the facts must hold: citations, figures, products, names."""

import re
from collections.abc import Iterator
from functools import lru_cache

from nurture.copywriting.figures import Claim, covered_by, figures, plain, said_by
from nurture.copywriting.guardrails.draft import Draft, Sentence
from nurture.copywriting.guardrails.idle import is_idle_count, is_scene_name, is_season
from nurture.copywriting.guardrails.names import is_title_case, proper_names, without
from nurture.copywriting.stems import Stems, stem, stems


def citations(draft: Draft) -> Iterator[str]:
    for fact_id in draft.piece.cited_fact_ids:
        if fact_id not in draft.offered:
            yield f"cites {fact_id[:60]!r}, which was not offered"
    if not draft.piece.cited_fact_ids:
        yield "cites no fact"


def expired(draft: Draft) -> Iterator[str]:
    for fact in draft.cited:
        if draft.terms.day and not fact.is_valid_on(draft.terms.day):
            yield f"cites {fact.id}, which holds from {fact.valid_from} until {fact.valid_until or 'further notice'}"


def invented_figures(draft: Draft) -> Iterator[str]:
    for sentence in draft.sentences:
        for figure in figures(draft.bare(sentence.text)):
            covered = covered_by(_facts_of(draft, sentence))
            is_ours = sentence.is_marked or sentence.names_us or bool(draft.entities(sentence.text))
            if figure.found.endswith("-free") and f"no {figure.found.removesuffix('-free')}" in plain(_all_facts(draft)):
                continue
            is_title = not sentence.part.startswith("body") and sentence.text == draft.piece.texts[sentence.part].strip()
            gets_better = is_title and _BETTER.search(sentence.text.casefold())
            is_said = sentence.role != "claim" and not gets_better and (figure.kind == "pace" or is_season(figure))
            counts_theirs = is_title and _counts_of(sentence) & stems(_facts_of(draft, sentence))
            is_idle = is_idle_count(figure) and not counts_theirs
            idle = is_said or (not is_ours and sentence.role != "claim" and is_idle)
            if figure.claim not in covered and not idle:
                yield f"{figure.found!r} is in no fact cited for it"
    for text in draft.running_on:  # what only shows across two sentences
        for figure in figures(draft.bare(text)):
            idle = figure.kind == "pace" or is_idle_count(figure) or is_season(figure) or figure.found.endswith("-free")
            if figure.claim not in covered_by(_all_facts(draft)) and not idle:
                yield f"{figure.found!r} is in no cited fact"


def _counts_of(sentence: Sentence) -> Stems:
    """What two or three of a headline counts, unless it asks."""
    return stems(" ".join(_TWO.findall(plain(sentence.text)))) if not sentence.text.endswith("?") else frozenset()


_TWO = re.compile(r"\b(?:two|three) (\w+)")


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
_BETTER = re.compile(r"\b(?:fewer|less|more|better|faster|shorter|calmer|quicker|easier|right)\b(?!.*\?)")
"""What a headline or a button promises, beside a day or a season."""
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


_OF_EVERY_PRODUCT = re.compile(r"\b(?:every|all|each|any) \w+ products?\b")


def unnamed_products(draft: Draft) -> Iterator[str]:
    cited = plain(" ".join(fact.text for fact in draft.cited))
    for sentence in draft.sentences:
        is_general = not sentence.is_marked or any(not draft.entities(fact.text) for fact in sentence.usable)
        grounds = cited if is_general else plain(" ".join(fact.text for fact in sentence.cited))
        for name in draft.terms.product_names:
            if plain(name) not in draft.entities(sentence.text) or plain(name) in grounds:
                continue
            if not any(_OF_EVERY_PRODUCT.search(plain(fact.text)) for fact in sentence.usable or draft.cited):
                yield f"{name} is in no fact cited for it"
        if sentence.is_marked and not sentence.usable:
            yield f"speaks of {', '.join(sorted(sentence.subject))}; what it cites speaks of something else"


def invented_names(draft: Draft) -> Iterator[str]:
    """Customers, certificates, products of others: a capitalised name that no cited fact has."""
    terms, rules = draft.terms, draft.terms.rules
    known = _known_names(rules.known_names, rules.company_names)
    short = {plain(name.split(" ", 1)[-1]) for name in terms.product_names}
    piece_wide = _name_words(" ".join(fact.text for fact in draft.cited))
    for sentence in draft.sentences:
        allowed = _name_words(" ".join(fact.text for fact in sentence.cited)) if sentence.is_marked else piece_wide
        text = without(sentence.text, terms.product_names)
        title_case = not sentence.part.startswith("body") and is_title_case(sentence.text)
        for name in proper_names(text):
            parts = [part for part in re.split(r"\s+", name) if part != "&"]
            strange = [part for part in parts if not _is_known(part, known | allowed | short)]
            if len(parts) > 1 and sentence.text.startswith(parts[0]) and stem(plain(parts[0])) in draft.terms.rules.everyday:
                strange = [part for part in strange if part != parts[0]]  # the capital is the sentence's
            if len(parts) == 1 and sentence.role == "address" and is_scene_name(name, sentence.text, rules):
                continue
            if title_case:
                everyday = _everyday(draft)
                strange = [part for part in strange if not part.isupper() and stem(plain(part)) not in everyday]
            if strange:
                yield f"the name {name!r} is in no fact cited for it"


def competitors(draft: Draft) -> Iterator[str]:
    text = plain(draft.piece.text)
    run_together = text.replace(" ", "").replace("-", "")
    for name in draft.terms.rules.competitors:
        folded = plain(name)
        if folded in run_together or (folded in text and re.search(rf"(?<!\w){re.escape(folded)}(?!\w)", text)):
            yield f"names {name}"


def _facts_of(draft: Draft, sentence: Sentence) -> str:
    """The text of the facts that carry a sentence, each on its own, product names left out."""
    return " · ".join(draft.bare(fact.text) for fact in sentence.usable)


def _all_facts(draft: Draft) -> str:
    return " · ".join(draft.bare(fact.text) for fact in draft.cited)


@lru_cache(maxsize=16)
def _known_names(known_names: tuple[str, ...], company_names: tuple[str, ...]) -> frozenset[str]:
    return frozenset(map(plain, (*known_names, *company_names, *_CALENDAR)))


@lru_cache(maxsize=1024)
def _name_words(text: str) -> frozenset[str]:
    return frozenset(plain(word).removesuffix("'s") for name in proper_names(text) for word in name.split())


def _is_known(word: str, known: frozenset[str]) -> bool:
    bare = plain(word).removesuffix("'s").strip(".'-")
    if bare in known or bare.removesuffix("s") in known or not any(char.isalpha() for char in bare):
        return True
    return all(part in known for part in bare.split("-")) if "-" in bare else False


def _everyday(draft: Draft) -> frozenset[str]:
    rules = draft.terms.rules
    return rules.everyday | draft.terms.fact_stems | frozenset(rules.groups)


_CALENDAR = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
             "december", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "am",
             "pm")  # fmt: skip
