"""The approved claims in the warehouse: kept in step with the files, and chosen for contexts by one statement."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from nurture.copywriting.facts import Fact
from nurture.copywriting.vocabulary import Context, Vocabulary, nothing_known
from nurture.errors import ConfigError
from nurture.warehouse.statements import statement

log = logging.getLogger(__name__)

MOST_FACTS = 6
"""Offered to a writer at once."""

Chosen = tuple[str, int]
"""Id and version of a fact."""


@dataclass(frozen=True)
class Synced:
    """What a synchronisation changed: `written` is new or changed, `withdrawn` is not in the files any more."""

    written: tuple[Chosen, ...]
    withdrawn: tuple[Chosen, ...]


def sync_facts(connection: psycopg.Connection, facts: Iterable[Fact]) -> Synced:
    """Bring `ops.fact` to what the files say, in one statement; a change of nothing writes nothing. Commits nothing.

    Raises:
        ConfigError: a fact says other words than the same version in the warehouse. Nothing is written then.
    """
    rows = [
        {"fact_id": fact.id, **fact.model_dump(mode="json", exclude={"id", "price_of"})}
        for fact in sorted(facts, key=lambda fact: fact.id)
    ]
    changes: dict[str, list[Chosen]] = {"written": [], "withdrawn": [], "reworded": []}
    for change, fact_id, version in connection.execute(statement("copy/sync_facts.sql"), {"facts": Jsonb(rows)}):
        changes[change].append((fact_id, version))
    if changes["reworded"]:
        raise ConfigError(
            "\n".join(
                f"include/facts: {fact_id}: version {version} says other words than version {version} in the warehouse: "
                f"a change of wording is a new version. Restore the text, or set `version: {version + 1}`."
                for fact_id, version in changes["reworded"]
            )
        )
    if changes["written"] or changes["withdrawn"]:
        log.info("Facts: %d written, %d withdrawn.", len(changes["written"]), len(changes["withdrawn"]))
    return Synced(tuple(changes["written"]), tuple(changes["withdrawn"]))


def choose_facts(
    connection: psycopg.Connection, contexts: Sequence[Context], day: date, vocabulary: Vocabulary, *, most: int = MOST_FACTS
) -> list[tuple[Chosen, ...]]:
    """The facts to offer for each of `contexts` on `day`, best first, in one statement for all of them.

    The same contexts, day and facts give the same choice. How it is made: include/sql/copy/select_facts.sql, and
    docs/decisions/0015-facts-are-found-without-vectors.md.
    """
    values = {
        "contexts": Jsonb([_asked(context, vocabulary) for context in contexts]),
        "industries": [word for word in vocabulary.industries if word != nothing_known("industry")],
        "day": day,
        "most": most,
    }
    rows = connection.execute(statement("copy/select_facts.sql"), values)
    return [tuple(zip(fact_ids, versions, strict=True)) for _, fact_ids, versions in rows]


def _asked(context: Context, vocabulary: Vocabulary) -> dict[str, Any]:
    """A context as the statement reads it: its words, the same as English without the company's name, its market."""
    known = {key: word for key, word in sorted(context.items()) if word != nothing_known(key) and key != "market"}
    text = " ".join(vocabulary.readable(key, word) for key, word in known.items())
    return {
        "words": list(known.values()),
        "text": text.replace(vocabulary.company, " "),
        "market": context.get("market", nothing_known("market")),
    }
