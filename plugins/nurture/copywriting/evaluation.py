"""Trying a template, released or not, on its golden contexts, before people get what it makes.

`python -m nurture.copywriting.evaluation lead_nurture@v4 --model gpt-4o-mini` does what the DAG `evaluate_prompt` does, with
the warehouse of NURTURE_WAREHOUSE_URL and the endpoint of OPENAI_BASE_URL and OPENAI_API_KEY.
"""

import argparse
import asyncio
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import psycopg
from psycopg.types.json import Json

from nurture.copywriting import store
from nurture.copywriting.chat_model import ChatModel
from nurture.copywriting.engine import Written, write_copy
from nurture.copywriting.evaluation_markdown import markdown
from nurture.copywriting.evaluation_report import Report, difference, failures, figures
from nurture.copywriting.store import Run
from nurture.copywriting.templates import check_unchanged, released, template_path, text_hash
from nurture.copywriting.trials import evaluated, trials_of
from nurture.errors import ConfigError, NurtureError
from nurture.paths import PROMPTS
from nurture.policy import Policy, load_policy
from nurture.warehouse.connect import connected
from nurture.warehouse.statements import statement

CAMPAIGN = "evaluation"
"""Under this name evaluations are paid for and noted in `ops.llm_call`."""


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
        ConfigError: a template, the golden contexts, a fact or the vocabulary is wrong, a template is static, or was changed
            after its release.
    """
    baseline = baseline or newest_release(reference, folder)
    for one in filter(None, (reference, baseline)):
        check_unchanged(one, folder)
    new = trials_of(connection, reference, model.name, day, folder)
    old = trials_of(connection, baseline, model.name, day, folder) if baseline else []
    connection.commit()
    requests = list({trial.request.request_hash: trial.request for trial in [*new, *old]}.values())
    stored = store.find(connection, requests)
    missing = [(request,) for request in requests if request.request_hash not in stored]
    connection.commit()
    written = await write_copy(connection, run, missing, [model], policy.llm)
    copies = stored | written.copies
    pieces = evaluated(connection, new, copies)
    now, before = figures(pieces), figures(evaluated(connection, old, copies)) if old else None
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
    from openai import AsyncOpenAI, OpenAIError

    from nurture.copywriting.openai_model import OpenAIModel

    policy, now = load_policy(), datetime.now(UTC)
    run = Run("command", f"evaluate_prompt__{now.isoformat(timespec='seconds')}", CAMPAIGN)
    try:
        client = AsyncOpenAI()
    except OpenAIError:
        raise ConfigError("No key given: set OPENAI_API_KEY, and OPENAI_BASE_URL where it is not OpenAI's.") from None
    with connected() as connection:
        async with client:
            model = OpenAIModel(client, model_name, timeout_seconds=policy.llm.timeout_seconds)
            return await evaluate(
                connection, run=run, reference=reference, model=model, policy=policy, day=now.date(), baseline=baseline
            )  # fmt: skip


def main() -> None:
    """Command line; ends with 1 when the template did not pass."""
    parser = argparse.ArgumentParser(prog="python -m nurture.copywriting.evaluation", description=__doc__)
    parser.add_argument("template", help="released or not, e.g. lead_nurture@v4")
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
