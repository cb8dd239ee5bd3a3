"""Whether everything that marketers edit in `include/` can be used: facts, words, rules, prices, prompts, releases, cards.

`python -m nurture.copywriting.check` prints what is wrong, and ends with 1 then. It needs no warehouse and no model.
"""

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from itertools import product

from nurture.copywriting.assembly import load_placeholders
from nurture.copywriting.copy_rules import load_copy_rules
from nurture.copywriting.facts import load_facts
from nurture.copywriting.golden import load_golden, untried
from nurture.copywriting.guardrails import judge
from nurture.copywriting.model_card import CARDS, cards
from nurture.copywriting.prices import load_prices
from nurture.copywriting.release import unproven
from nurture.copywriting.requests import CopyRequest
from nurture.copywriting.templates import (
    ModelTemplate,
    StaticTemplate,
    known_references,
    load_template,
    read_template,
    released,
    template_path,
    text_hash,
)
from nurture.copywriting.vocabulary import load_vocabulary
from nurture.errors import ConfigError
from nurture.policy import load_policy


def problems() -> Iterator[str]:
    """Every mistake in the files, in words; what a mistake spoils may be said to be wrong as well."""
    for load in (load_policy, load_vocabulary, load_copy_rules, load_prices, load_placeholders, load_facts):
        yield from _said_by(partial(_loading_problems, load))
    for reference in known_references():
        yield from _said_by(partial(_template_problems, reference))
    yield from _said_by(lambda: unproven(load_policy().evaluation))
    yield from _said_by(_stale_cards)


def _loading_problems(load: Callable[[], object]) -> Iterable[str]:
    load()
    return ()


def _template_problems(reference: str) -> Iterator[str]:
    template = (load_template if reference in released() else read_template)(reference)
    if isinstance(template, ModelTemplate):
        found = list(untried(template, load_golden(template.id, load_vocabulary())))
    else:
        found = list(_static_problems(template))
    yield from (f"{template_path(reference)}: {problem}" for problem in found)


def _static_problems(template: StaticTemplate) -> Iterator[str]:
    """What keeps static copy from being there for everyone; an older version may not know the newest words."""
    facts, vocabulary, today = load_facts(), load_vocabulary(), datetime.now(UTC).date()
    cited = {fact_id for name in template.sections for part in template.parts(name) for fact_id in part.cites}
    yield from (f"cites the unknown fact {fact_id}." for fact_id in sorted(cited - set(facts)))
    if cited - set(facts) or f"{template.id}@v{template.version + 1}" in known_references():
        return
    valid = tuple(facts[one] for one in sorted(cited) if facts[one].is_valid_on(today))
    digest = text_hash(template.reference)
    words = {name: [one.default, *(one.only or vocabulary.words(one.choices))] for name, one in template.variables.items()}
    contexts: dict[str, list[str]] = {}
    for chosen in product(*(dict.fromkeys(known) for known in words.values())):
        request = CopyRequest(template, digest, dict(zip(words, chosen, strict=True)), valid, None, vocabulary, today)
        try:
            verdict = judge(request.static_piece(), request.terms)
        except ConfigError as error:
            contexts.setdefault(str(error).partition(" for {")[0], []).append(", ".join(chosen))
            continue
        for reason in verdict.reasons if verdict.outcome == "rejected" else ():
            contexts.setdefault(f"{reason['name']}: {reason['found']}", []).append(", ".join(chosen))
    yield from (f"{reason} (in {len(where)} contexts, the first: {where[0]})." for reason, where in contexts.items())


def _stale_cards() -> Iterator[str]:
    for template_id, text in cards().items():
        path = CARDS / f"{template_id}.md"
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            yield f"{path}: stale; run `python -m nurture.copywriting.model_card`."


def _said_by(work: Callable[[], Iterable[str]]) -> Iterator[str]:
    """The problems that `work` finds, or that it fails with."""
    try:
        yield from work()
    except ConfigError as error:
        yield from str(error).splitlines()


def main() -> None:
    """Command line."""
    argparse.ArgumentParser(prog="python -m nurture.copywriting.check", description=__doc__).parse_args()
    found = list(dict.fromkeys(problems()))
    print("\n".join(found), end="\n" if found else "")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
