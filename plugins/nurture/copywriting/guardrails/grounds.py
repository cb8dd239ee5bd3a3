"""Guardrails on what the facts must hold: citations, products, names."""

import re
from collections.abc import Iterator
from functools import lru_cache

from nurture.copywriting.figures import plain
from nurture.copywriting.guardrails.draft import Draft
from nurture.copywriting.guardrails.idle import is_scene_name
from nurture.copywriting.guardrails.names import is_title_case, proper_names, without
from nurture.copywriting.stems import stem


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
