"""Trying a template, released or not, on its golden contexts, before people get what it makes.

`python -m nurture.copywriting.evaluation lead_nurture@v2 --model gpt-4o-mini` does what the DAG `evaluate_prompt` does, with
the warehouse of NURTURE_WAREHOUSE_URL and the endpoint of OPENAI_BASE_URL and OPENAI_API_KEY.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg.types.json import Json

from nurture.copywriting import store
from nurture.copywriting.chat_model import ChatModel
from nurture.copywriting.copybook import offer_facts
from nurture.copywriting.engine import Written, write_copy
from nurture.copywriting.evaluation_markdown import markdown
from nurture.copywriting.evaluation_report import Evaluated, Report, difference, failures, figures
from nurture.copywriting.facts import load_facts
from nurture.copywriting.golden import load_golden
from nurture.copywriting.guardrails import judge
from nurture.copywriting.pieces import Piece
from nurture.copywriting.requests import CopyRequest
from nurture.copywriting.store import Run, StoredCopy
from nurture.copywriting.templates import ModelTemplate, read_template, released, template_path, text_hash
from nurture.copywriting.vocabulary import load_vocabulary
from nurture.errors import ConfigError, NurtureError
from nurture.paths import PROMPTS
from nurture.policy import Policy, load_policy
from nurture.warehouse.connect import warehouse_url
from nurture.warehouse.statements import statement

CAMPAIGN = "evaluation"
"""Under this name evaluations are paid for and noted in `ops.llm_call`."""


@dataclass(frozen=True)
class Trial:
    """One golden context as a template asks for it; `why`: all golden contexts that are this one to the template."""

    request: CopyRequest
    why: tuple[str, ...]


async def evaluate(
    connection: psycopg.Connection,
    *,
    run: Run,
    reference: str,
    model: ChatModel,
    policy: Policy,
    day: date,
    baseline: str | None = None,
    folder: Path = PROMPTS,
) -> Report:
    """Write copy for the golden contexts of `reference`, judge it, and keep the report in `ops.evaluation`. Commits.

    Copy that the store has is judged again and not paid for again.

    Args:
        run: its campaign should be `CAMPAIGN`.
        day: on which facts must be valid.
        baseline: version to compare with; None: the newest other version that is released, if there is one.

    Raises:
        ConfigError: a template, the golden contexts, a fact or the vocabulary is wrong, or a template is static.
    """
    baseline = baseline or newest_release(reference, folder)
    new = _trials(connection, reference, model.name, day, folder)
    old = _trials(connection, baseline, model.name, day, folder) if baseline else []
    connection.commit()
    requests = list({trial.request.request_hash: trial.request for trial in [*new, *old]}.values())
    stored = store.find(connection, requests)
    missing = [(request,) for request in requests if request.request_hash not in stored]
    connection.commit()
    written = await write_copy(connection, run, missing, [model], policy.llm)
    copies = stored | written.copies
    pieces = _evaluated(connection, new, copies)
    now, before = figures(pieces), figures(_evaluated(connection, old, copies)) if old else None
    report = Report(
        template=reference, template_sha256=text_hash(reference, folder), model=model.name,
        is_sandbox=model.name.startswith("sandbox-"), day=day, figures=now, baseline=baseline, baseline_figures=before,
        difference=difference(now, before) if before else {}, unanswered_because=_reasons(written),
        failures=failures(now, before, policy.evaluation), pieces=tuple(pieces),
    )  # fmt: skip
    _keep(connection, run, report)
    return report


def newest_release(reference: str, folder: Path = PROMPTS) -> str | None:
    """The newest released version of the same template that is not `reference` itself."""
    template_id = template_path(reference, folder).parent.name
    versions = [
        int(one.partition("@v")[2]) for one in released(folder) if one.startswith(f"{template_id}@v") and one != reference
    ]
    return f"{template_id}@v{max(versions)}" if versions else None


def _trials(connection: psycopg.Connection, reference: str, model: str, day: date, folder: Path) -> list[Trial]:
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
        trials.append(Trial(CopyRequest(template, digest, context, offered[words], model, vocabulary), tuple(whys)))
    return trials


def _evaluated(connection: psycopg.Connection, trials: Sequence[Trial], copies: dict[str, StoredCopy]) -> list[Evaluated]:
    """What each trial came to, judged by today's guardrails."""
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
        return Evaluated(outcome="rejected", guardrails=("schema",), confidence=0, **known)
    piece = Piece.from_stored(copy.output)
    verdict = judge(piece, trial.request.terms)
    names = tuple(dict.fromkeys(reason["name"] for reason in verdict.reasons))
    words = {name: len(text.split()) for name, text in piece.texts.items()}
    return Evaluated(outcome=verdict.outcome, guardrails=names, confidence=verdict.confidence, words=words, **known)


def _reasons(written: Written) -> tuple[str, ...]:
    reasons = {
        f"the budget's cap {written.capped_by} was reached": written.capped_by,
        "the switch ai_personalization is off": written.switched_off,
        "the endpoint refuses whatever it is asked; see the log": written.refusal,
        "include/prices.yaml has no price for the model": written.unpriced,
    }
    return tuple(reason for reason, holds in reasons.items() if holds)


def _keep(connection: psycopg.Connection, run: Run, report: Report) -> None:
    template_id, _, version = report.template.partition("@v")
    values = {
        "template_id": template_id, "template_version": int(version), "template_hash": report.template_sha256,
        "model": report.model, "baseline": report.baseline, "passed": report.passed,
        "report": Json(report.model_dump(mode="json")), "dag_id": run.dag_id, "run_id": run.run_id,
    }  # fmt: skip
    connection.execute(statement("copy/keep_evaluation.sql"), values)
    connection.commit()


async def _command(reference: str, model_name: str, baseline: str | None) -> Report:
    from openai import AsyncOpenAI

    from nurture.copywriting.openai_model import OpenAIModel

    policy, now = load_policy(), datetime.now(UTC)
    run = Run("command", f"evaluate_prompt__{now.isoformat(timespec='seconds')}", CAMPAIGN)
    with psycopg.connect(warehouse_url()) as connection:
        async with AsyncOpenAI() as client:
            model = OpenAIModel(client, model_name, timeout_seconds=policy.llm.timeout_seconds)
            return await evaluate(
                connection, run=run, reference=reference, model=model, policy=policy, day=now.date(), baseline=baseline
            )  # fmt: skip


def main() -> None:
    """Command line; ends with 1 when the template did not pass."""
    parser = argparse.ArgumentParser(prog="python -m nurture.copywriting.evaluation", description=__doc__)
    parser.add_argument("template", help="released or not, e.g. lead_nurture@v2")
    parser.add_argument("--model", required=True, help="as its vendor calls it")
    parser.add_argument("--baseline", help="version to compare with; the newest other released one unless given")
    arguments = parser.parse_args()
    try:
        report = asyncio.run(_command(arguments.template, arguments.model, arguments.baseline))
    except NurtureError as error:
        sys.exit(str(error))
    print(markdown(report))
    sys.exit(not report.passed)


if __name__ == "__main__":
    main()
