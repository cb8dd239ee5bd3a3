"""# Benchmark: the common.ai provider

One prompt for each contact through `LLMOperator`, mapped, and all of them through `LLMBatchOperator`. It runs in an
environment of its own, without this project's package (`benchmarks.copy_peers`).
"""

import json
import os
from datetime import timedelta
from pathlib import Path

from airflow.providers.common.ai.operators.llm import LLMOperator
from airflow.providers.common.ai.operators.llm_batch import LLMBatchOperator
from airflow.sdk import DAG, task
from pydantic import BaseModel
from pydantic_ai import NativeOutput

FOLDER = os.environ["NURTURE_BENCH_PEERS"]  # where benchmarks.copy_peers put the prompts
SETTINGS = {"temperature": 0, "seed": 7}
MAX_TOKENS = 500


class Piece(BaseModel):
    """What is asked for, as the project's own schema has it."""

    headline: str
    body: str
    cta: str
    cited_fact_ids: list[str]


@task(retries=0)
def prompts() -> list[str]:
    """The user's part of each contact's prompt."""
    asked: list[str] = json.loads((Path(FOLDER) / "prompts.json").read_text())["user"]
    return asked


@task(retries=0)
def instructions() -> str:
    """The system's part, which is the same for all."""
    text: str = json.loads((Path(FOLDER) / "prompts.json").read_text())["system"]
    return text


with DAG(dag_id="bench_llm_mapped", schedule=None):
    LLMOperator.partial(
        task_id="write", llm_conn_id="peer", model_id="openai-chat:sandbox-writer-1", system_prompt=instructions(),
        output_type=NativeOutput(Piece), model_settings=SETTINGS | {"max_tokens": MAX_TOKENS}, serialize_output=True,
        retries=2, retry_delay=timedelta(seconds=5),
    ).expand(prompt=prompts())  # fmt: skip

with DAG(dag_id="bench_llm_batch", schedule=None):
    LLMBatchOperator(
        task_id="write", llm_conn_id="peer", model_id="openai:sandbox-writer-1", system_prompt=instructions(),
        output_type=Piece, requests=prompts(), request_params=SETTINGS, max_tokens=MAX_TOKENS, poll_interval=30,
        result_path=f"file://{FOLDER}/results/{{{{ run_id }}}}", deferrable=True,
    )  # fmt: skip
