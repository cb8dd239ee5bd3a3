"""Evaluates prompts of a folder of a test's own, against the sandbox model."""

import asyncio
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import yaml

from nurture.copywriting.evaluation import CAMPAIGN, evaluate
from nurture.copywriting.evaluation_report import Report
from nurture.copywriting.openai_model import OpenAIModel
from nurture.copywriting.store import Run
from nurture.copywriting.templates import released
from nurture.paths import PROMPTS
from nurture.policy import Policy
from sandbox.model import RunningModel

DAY = date(2026, 11, 20)


def library(folder: Path) -> Path:
    """The prompts as they were before lead_nurture@v2 was released, in `folder`."""
    shutil.copytree(PROMPTS, folder)
    for path in folder.glob("*/*.evaluation.json"):
        path.unlink()
    kept = {name: digest for name, digest in released(PROMPTS).items() if name in ("lead_nurture@v1", "static_template@v3")}
    (folder / "lock.yaml").write_text(yaml.safe_dump({"released": kept}))
    return folder


@dataclass
class Evaluations:
    """Evaluations of one warehouse."""

    connection: psycopg.Connection
    server: RunningModel
    policy: Policy
    folder: Path

    def run(self, reference: str = "lead_nurture@v2", **changes: Any) -> Report:
        """Evaluate a prompt; `changes`: `model`, `baseline`, fields of `policy.llm`."""
        name, baseline = changes.pop("model", "sandbox-writer-1"), changes.pop("baseline", None)
        policy = self.policy.model_copy(update={"llm": self.policy.llm.model_copy(update=changes)})

        async def work() -> Report:
            from openai import AsyncOpenAI

            async with AsyncOpenAI(api_key=self.server.api_key, base_url=self.server.url) as client:
                return await evaluate(
                    self.connection, run=Run("evaluate_prompt", "manual__1", CAMPAIGN), reference=reference, policy=policy,
                    model=OpenAIModel(client, name, timeout_seconds=30), day=DAY, baseline=baseline, folder=self.folder,
                )  # fmt: skip

        return asyncio.run(work())

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(query.encode()).fetchall()
