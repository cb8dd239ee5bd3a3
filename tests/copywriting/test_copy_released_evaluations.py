"""What a release was shown is what one would be shown today: golden contexts, facts and guardrails may not run away from it.

An evaluation by the sandbox's writer can be repeated, with the facts of its day; one by a real model would cost money.
"""

import asyncio

import psycopg
import pytest
from openai import AsyncOpenAI

from nurture.copywriting.evaluation import CAMPAIGN, evaluate
from nurture.copywriting.evaluation_report import Figures, Report
from nurture.copywriting.openai_model import OpenAIModel
from nurture.copywriting.release import evaluation_path, read_evaluation
from nurture.copywriting.store import Run
from nurture.copywriting.templates import ModelTemplate, read_template, released
from nurture.policy import load_policy
from sandbox.model import RunningModel

PROMPTS = sorted(one for one in released() if isinstance(read_template(one), ModelTemplate))


async def again(connection: psycopg.Connection, server: RunningModel, report: Report) -> Report:
    """The same evaluation today."""
    policy = load_policy()
    async with AsyncOpenAI(api_key=server.api_key, base_url=server.url) as client:
        model = OpenAIModel(client, report.model, timeout_seconds=policy.llm.timeout_seconds)
        return await evaluate(
            connection, run=Run("evaluate_prompt", "again", CAMPAIGN), reference=report.template, model=model, policy=policy,
            day=report.day, baseline=report.baseline,
        )  # fmt: skip


def differences(kept: Figures | None, today: Figures | None) -> dict[str, tuple[object, object]]:
    """Figure → what was kept and what it is today. The cost aside: prices are the vendor's."""
    old, new = (figures.model_dump(exclude={"usd_per_piece"}) if figures else {} for figures in (kept, today))
    return {name: (old.get(name), new.get(name)) for name in old | new if old.get(name) != new.get(name)}


@pytest.mark.slow
@pytest.mark.parametrize("reference", PROMPTS)
def test_the_evaluation_beside_a_released_prompt_is_what_it_would_be_today(
    warehouse: psycopg.Connection, sandbox_model: RunningModel, reference: str
) -> None:
    kept = read_evaluation(reference)
    if not kept.is_sandbox:
        pytest.skip(f"evaluated with {kept.model}: to ask it again costs money")

    today = asyncio.run(again(warehouse, sandbox_model, kept))

    found = differences(kept.figures, today.figures) | {
        f"baseline's {name}": values for name, values in differences(kept.baseline_figures, today.baseline_figures).items()
    }
    if len(kept.pieces) != len(today.pieces):
        found["pieces"] = (len(kept.pieces), len(today.pieces))
    assert not found, f"{evaluation_path(reference).name} is stale: {found}. Evaluate {reference} and release it again."
