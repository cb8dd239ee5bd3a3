"""The guardrails that marketers write: lists of wording in include/copy_rules.yaml."""

import re
from collections.abc import Callable, Iterator
from functools import cache

from nurture.copywriting.copy_rules import Wording
from nurture.copywriting.figures import plain
from nurture.copywriting.guardrails.draft import Draft
from nurture.copywriting.guardrails.terms import Guardrail


def says(wording: Wording) -> Callable[[Draft], Iterator[str]]:
    """A check for one list; a rejecting one lets pass what a cited fact says in the same words."""

    def check(draft: Draft) -> Iterator[str]:
        hits = _hits(wording, wording.pattern, plain(" · ".join(draft.piece.texts.values())))
        if claims := wording.claims_pattern:
            for one in draft.sentences:
                if one.role == "claim" or one.names_us or one.subject:
                    hits |= _hits(wording, claims, plain(one.text))
        if not hits:
            return
        facts = plain(" · ".join(fact.text for fact in draft.cited)) if wording.outcome == "rejected" else ""
        for found in sorted(hits):
            if found not in facts:
                yield f"says {found!r}"

    return check


def _hits(wording: Wording, pattern: re.Pattern[str], text: str) -> set[str]:
    """What `pattern` finds in `text` once the exceptions are taken out, which is done only where it finds anything."""
    if not pattern.search(text):
        return set()
    return {match[0] for match in pattern.finditer(wording.exceptions.sub("·", text) if wording.exceptions else text)}


@cache
def wording_guardrail(wording: Wording) -> Guardrail:
    return Guardrail(wording.name, wording.reason, wording.outcome, says(wording), wording.outcome == "flagged")
