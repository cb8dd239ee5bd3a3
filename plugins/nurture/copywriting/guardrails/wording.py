"""The guardrails that marketers write: lists of wording in include/copy_rules.yaml."""

import re
from collections.abc import Callable, Iterator

from nurture.copywriting.copy_rules import CopyRules, Wording
from nurture.copywriting.figures import plain
from nurture.copywriting.guardrails.draft import Draft
from nurture.copywriting.guardrails.terms import Guardrail


def says(wording: Wording) -> Callable[[Draft], Iterator[str]]:
    """A check for one list; a rejecting one lets pass what a cited fact says in the same words."""

    def check(draft: Draft) -> Iterator[str]:
        hits = _hits(wording, wording.pattern, draft.wording) if draft.wording else set()
        if claims := wording.claims_pattern:
            for said in draft.claimed_wording:
                hits |= _hits(wording, claims, said)
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


def wording_guardrails(rules: CopyRules) -> tuple[Guardrail, ...]:
    """One for each list of `rules`."""
    _, made = _MADE.get(id(rules), (None, None))
    if made is None:
        made = tuple(_guardrail(wording) for wording in rules.wording)
        _MADE[id(rules)] = rules, made
    return made


_MADE: dict[int, tuple[CopyRules, tuple[Guardrail, ...]]] = {}
"""By identity: a hash of all rules would cost more than the checks. The rules are kept, so that it stays theirs."""


def _guardrail(wording: Wording) -> Guardrail:
    return Guardrail(wording.name, wording.reason, wording.outcome, says(wording), wording.outcome == "flagged")
