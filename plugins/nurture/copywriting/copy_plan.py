"""What a night needs, and what the store already has of it, before anything is asked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from json import loads

import psycopg

from nurture.copywriting import store
from nurture.copywriting.copybook import Copybook
from nurture.copywriting.engine import Wanted
from nurture.copywriting.guardrails import judge
from nurture.copywriting.messages import DistinctContext, Spellings, distinct_contexts, found_spellings
from nurture.copywriting.pieces import Piece
from nurture.copywriting.requests import CopyRequest
from nurture.copywriting.store import Run, StoredCopy
from nurture.copywriting.vocabulary import Context, normalise


@dataclass(frozen=True)
class CopyPlan:
    """One campaign's night. Its size is that of the distinct contexts, not of the audience.

    Attributes:
        models: names, first choice first.
        contexts: by the context of a group.
        wanted: by a group's context, of the AI arm; the same object wherever the template does not tell contexts apart.
        stored: what the store has, by the hash of the first choice's request, whichever model wrote it.
        spellings: by which the groups are told apart; none: they are raw contexts.
    """

    book: Copybook
    models: Sequence[str]
    groups: Sequence[DistinctContext]
    contexts: dict[str, Context]
    wanted: dict[str, Wanted]
    stored: dict[str, StoredCopy]
    spellings: Spellings = field(default_factory=dict)

    @property
    def people(self) -> int:
        return sum(group.people for group in self.groups)

    @property
    def distinct(self) -> list[Wanted]:
        """What is wanted, each piece once."""
        return list({wanted[0].request_hash: wanted for wanted in self.wanted.values()}.values())

    @property
    def missing(self) -> list[Wanted]:
        """What must be asked for."""
        return [wanted for wanted in self.distinct if wanted[0].request_hash not in self.stored]


def plan_copy(
    connection: psycopg.Connection, run: Run, day: str, *, template: str, fallback_template: str, models: Sequence[str],
    today: date | None = None,
) -> CopyPlan:  # fmt: skip
    """Read the night's audience, choose its facts, and look up what was written before. Commits.

    Args:
        models: names, first choice first; a piece by any of them will do.
        today: UTC; by default the clock's.

    Raises:
        ConfigError: a template, a fact or the vocabulary is wrong.
    """
    book = Copybook(template, fallback_template, date.fromisoformat(day), today)
    spellings = found_spellings(connection, run.campaign, day, book.variables, book.vocabulary)
    groups = distinct_contexts(connection, run.campaign, day, spellings)
    return replace(plan_for(connection, book, models, groups), spellings=spellings)


def plan_for(
    connection: psycopg.Connection, book: Copybook, models: Sequence[str], groups: Sequence[DistinctContext]
) -> CopyPlan:
    """The same for given contexts, raw or not. Commits."""
    contexts = {group.context: normalise(loads(group.context), book.vocabulary) for group in groups}
    raw = [group.context for group in groups if group.arm == "ai"]
    book.choose_facts(connection, [contexts[context] for context in raw])
    wanted = {context: tuple(book.model_request(contexts[context], model) for model in models) for context in raw}
    stored = _best_stored(connection, wanted.values())
    connection.commit()
    return CopyPlan(book, models, groups, contexts, wanted, stored)


def _best_stored(connection: psycopg.Connection, wanted: Iterable[Wanted]) -> dict[str, StoredCopy]:
    """Of each piece the first model's that is not rejected, else a rejected one: that is not paid for again either."""
    distinct = {one[0].request_hash: one for one in wanted}
    copies = _still_good(connection, {request.request_hash: request for one in distinct.values() for request in one})
    best: dict[str, StoredCopy] = {}
    for name, requests in distinct.items():
        found = [copies[request.request_hash] for request in requests if request.request_hash in copies]
        if found:
            best[name] = next((copy for copy in found if copy.verdict != "rejected"), found[0])
    return best


def _still_good(connection: psycopg.Connection, requests: dict[str, CopyRequest]) -> dict[str, StoredCopy]:
    """What the store has, judged by today's guardrails, which may be stricter than those of the day it was written."""
    stored = store.find(connection, requests.values())
    for copy in list(stored.values()):
        if "unreadable" in copy.output:
            continue
        verdict = judge(Piece.from_stored(copy.output), requests[copy.request_hash].terms)
        stored[copy.request_hash] = store.rejudge(connection, copy, verdict)
    return stored
