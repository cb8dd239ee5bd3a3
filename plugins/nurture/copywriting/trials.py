"""A template tried on its golden contexts: what is asked for each, and what came of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import psycopg

from nurture.copywriting.copybook import offer_facts
from nurture.copywriting.evaluation_report import Evaluated
from nurture.copywriting.facts import load_facts
from nurture.copywriting.golden import load_golden
from nurture.copywriting.guardrails import judge
from nurture.copywriting.pieces import Piece
from nurture.copywriting.requests import CopyRequest
from nurture.copywriting.store import StoredCopy
from nurture.copywriting.templates import ModelTemplate, read_template, template_path, text_hash
from nurture.copywriting.vocabulary import load_vocabulary
from nurture.errors import ConfigError
from nurture.warehouse.statements import statement


@dataclass(frozen=True)
class Trial:
    """One golden context as a template asks for it; `why`: all golden contexts that are this one to the template."""

    request: CopyRequest
    why: tuple[str, ...]


def trials_of(connection: psycopg.Connection, reference: str, model: str, day: date, folder: Path) -> list[Trial]:
    """What to ask `model` for each golden context of `reference`, with facts that are valid on `day`. Commits nothing.

    Raises:
        ConfigError: the template, its golden contexts, a fact or the vocabulary is wrong, or the template is static.
    """
    template = read_template(reference, folder)
    if not isinstance(template, ModelTemplate):
        raise ConfigError(
            f"{template_path(reference, folder)}: {reference} is static; people wrote it, and people judge it."
        )
    vocabulary, digest = load_vocabulary(), text_hash(reference, folder)
    golden = load_golden(template.id, vocabulary, folder)
    offered = offer_facts(connection, template, [one.whole for one in golden], load_facts(), day, vocabulary)
    why: dict[tuple[str, ...], list[str]] = {}
    for one in golden:
        why.setdefault(tuple(template.narrowed(one.whole).values()), []).append(one.why)
    trials = []
    for words, whys in why.items():
        context = dict(zip(template.variables, words, strict=True))
        trials.append(Trial(CopyRequest(template, digest, context, offered[words], model, vocabulary, day), tuple(whys)))
    return trials


def evaluated(connection: psycopg.Connection, trials: Sequence[Trial], copies: dict[str, StoredCopy]) -> list[Evaluated]:
    """What each trial came to, judged by today's guardrails. Commits."""
    hashes = [trial.request.request_hash for trial in trials]
    rows = connection.execute(statement("copy/answered_calls.sql"), {"request_hashes": hashes})
    calls = {row[0]: {"prompt_tokens": row[1], "completion_tokens": row[2], "usd": float(row[3])} for row in rows}
    connection.commit()
    return [
        _one(trial, copies.get(trial.request.request_hash), calls.get(trial.request.request_hash, {})) for trial in trials
    ]


def _one(trial: Trial, copy: StoredCopy | None, call: dict[str, Any]) -> Evaluated:
    known: dict[str, Any] = {"why": trial.why, "context": trial.request.context, **call}
    if copy is None:
        return Evaluated(outcome="unanswered", **known)
    known["copy_id"] = copy.copy_id
    if "unreadable" in copy.output:
        return Evaluated(outcome="rejected", confidence=0, **_of_guardrails(copy.reasons), **known)
    piece = Piece.from_stored(copy.output)
    verdict = judge(piece, trial.request.terms)
    words = {name: len(text.split()) for name, text in piece.texts.items()}
    found = _of_guardrails(verdict.reasons)
    return Evaluated(outcome=verdict.outcome, confidence=verdict.confidence, words=words, **found, **known)


def _of_guardrails(reasons: Iterable[Mapping[str, str]]) -> dict[str, Any]:
    said = [(reason["name"], reason["found"]) for reason in reasons]
    return {
        "guardrails": tuple(dict.fromkeys(name for name, _ in said)),
        "found": tuple(f"{name}: {words}" for name, words in said),
    }
