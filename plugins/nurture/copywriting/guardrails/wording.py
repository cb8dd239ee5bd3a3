"""The guardrails that marketers write: lists of wording in include/copy_rules.yaml."""

from collections.abc import Callable, Iterator
from functools import cache

from nurture.copywriting.copy_rules import Wording
from nurture.copywriting.figures import plain
from nurture.copywriting.guardrails.draft import Draft
from nurture.copywriting.guardrails.terms import Guardrail


def says(wording: Wording) -> Callable[[Draft], Iterator[str]]:
    """A check for one list; a rejecting one lets pass what a cited fact says in the same words."""

    def check(draft: Draft) -> Iterator[str]:
        text = _without(wording, plain(" · ".join(draft.piece.texts.values())))
        hits = {match[0] for match in wording.pattern.finditer(text)}
        if claims := wording.claims_pattern:
            ours = (plain(one.text) for one in draft.sentences if one.role == "claim" or one.names_us or one.subject)
            hits |= {match[0] for one in ours for match in claims.finditer(_without(wording, one))}
        if not hits:
            return
        facts = plain(" · ".join(fact.text for fact in draft.cited)) if wording.outcome == "rejected" else ""
        for found in sorted(hits):
            if found not in facts:
                yield f"says {found!r}"

    return check


def _without(wording: Wording, text: str) -> str:
    return wording.exceptions.sub("·", text) if wording.exceptions else text


@cache
def wording_guardrail(wording: Wording) -> Guardrail:
    return Guardrail(wording.name, wording.reason, wording.outcome, says(wording), wording.outcome == "flagged")
