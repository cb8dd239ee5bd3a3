"""300 contacts: ours side by side with one call per contact, and with Airflow's common.ai provider, at one endpoint.

`python -m benchmarks.copy_peers [--people 300]`. Every way gets the same prompts and the same sandbox model, which answers
after 300 ms at made-up prices; those with "Airflow" go through a scheduler with the demo's settings, one after the other.
The provider does not install beside this project (it wants openai 3, litellm under providers-google wants openai 2), so it
gets an environment of its own; where there is none, that part is left out:

    python3.11 -m venv .venv-peers
    .venv-peers/bin/pip install apache-airflow==3.3.2 'apache-airflow-providers-common-ai[openai]==1.0.0' \\
        apache-airflow-providers-postgres asyncpg psycopg2-binary

NURTURE_PEERS names another folder than `.venv-peers`.
"""

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg

PROJECT = Path(__file__).resolve().parents[1]
LATENCY_SECONDS = 0.3
LONGEST_RUN_SECONDS = 1_800


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=300)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="nurture-bench-"))
    os.environ["NURTURE_DEMO_FOLDER"] = str(folder / "demo")
    os.environ["NURTURE_DEMO_DAGS"] = str(Path(__file__).parent / "dags")

    from demo import stack
    from demo.night import last_day
    from demo.state import fresh

    state = fresh(8080)
    day = last_day(datetime.now(UTC))
    try:
        api = stack.start(state, lambda _: None)
        prompts = _invite(stack.postgres(state).url("warehouse"), day, given.people)
        (folder / "prompts.json").write_text(json.dumps(prompts))
        bench = Bench(state, prompts)
        bench.one_by_one(in_flight=1)
        bench.one_by_one(in_flight=50)
        bench.ours(api, "bench_generate_calls", day, "ours in Airflow")
        bench.ours(api, "bench_generate_calls", day, "ours in Airflow, the same night again")
        with psycopg.connect(stack.postgres(state).url("warehouse"), autocommit=True) as connection:
            connection.execute("TRUNCATE ops.copy CASCADE")
        bench.ours(api, "bench_generate_batch", day, "ours in Airflow, as a batch", in_batch=True)
        state.process("airflow").stop()  # the other one takes its port
        if _peers_python().exists():
            with _peers_airflow(state, folder) as peers:
                bench.peers(peers, "bench_llm_mapped", "common.ai, LLMOperator mapped, in Airflow")
                bench.peers(peers, "bench_llm_batch", "common.ai, LLMBatchOperator, in Airflow", in_batch=True)
        else:
            print(f"common.ai: left out, {_peers_python()} is not there; python -m benchmarks.copy_peers --help says how")
    finally:
        stack.stop(state, lambda _: None)
        stack.delete_data(state, lambda _: None)
        shutil.rmtree(folder, ignore_errors=True)


class Bench:
    """The ways, each against an endpoint that has just been reset."""

    def __init__(self, state: Any, prompts: dict[str, Any]) -> None:
        from nurture.copywriting.prices import load_prices
        from sandbox.model.protocol import MODEL_ID
        from sandbox.model.server import RunningModel

        self.prompts = prompts
        self.model = RunningModel(state.model_url)
        price = load_prices().of(MODEL_ID, datetime.now(UTC).date())
        assert price
        self.price = price

    def one_by_one(self, *, in_flight: int) -> None:
        """One call for each contact through the `openai` client, as a script would."""
        self._try(f"openai client, a call per contact, {in_flight} in flight",
                  lambda: asyncio.run(self._ask_for_each(in_flight)))  # fmt: skip

    def ours(self, api: Any, dag_id: str, day: Any, name: str, *, in_batch: bool = False) -> None:
        """`GenerateCopyOperator`."""
        from demo import night

        api.wait_for_dags({dag_id}, 60)
        self._try(name, lambda: _seconds_of(night.run_last_night(api, dag_id, day, lambda _: None)), in_batch=in_batch)

    def peers(self, api: Any, dag_id: str, name: str, *, in_batch: bool = False) -> None:
        self._try(name, lambda: _run_once(api, dag_id), in_batch=in_batch)

    def _try(self, name: str, work: Callable[[], float | None], *, in_batch: bool = False) -> None:
        """Run `work`, which may say how many seconds it took, and print what the endpoint saw of it."""
        self.model.admin("reset", {})
        self.model.misbehave("slow", delay_seconds=LATENCY_SECONDS)
        began = time.perf_counter()
        said = work()
        seconds = time.perf_counter() - began if said is None else said
        seen = self.model.admin("requests?limit=100000")["requests"]
        cost = sum(
            (self.price.cost(one["prompt_tokens"], one["completion_tokens"], in_batch=in_batch) for one in seen), Decimal(0)
        )
        print(f"  {name:<52} {len(seen):>4} calls  {seconds:7.1f} s  ${cost:.5f}", flush=True)

    async def _ask_for_each(self, in_flight: int) -> None:
        from openai import AsyncOpenAI

        waiting = iter(self.prompts["user"])
        async with AsyncOpenAI(api_key=self.model.api_key, base_url=self.model.url) as client:
            create: Any = client.chat.completions.create

            async def work() -> None:
                for user in waiting:
                    messages = [{"role": "system", "content": self.prompts["system"]}, {"role": "user", "content": user}]
                    await create(model="sandbox-writer-1", messages=messages, **self.prompts["options"])

            await asyncio.gather(*(work() for _ in range(in_flight)))


def _invite(warehouse_url: str, day: Any, people: int) -> dict[str, Any]:
    """Put the audience into the warehouse; returns the prompt of each contact, as our own engine would phrase it."""
    from benchmarks.copy_night import CAMPAIGN, FALLBACK, TEMPLATE, contexts, invite
    from nurture.copywriting.copy_plan import plan_copy
    from nurture.copywriting.store import Run
    from nurture.copywriting.vocabulary import normalise
    from sandbox.model.protocol import MODEL_ID

    given = contexts(people, last_day=day)
    with psycopg.connect(warehouse_url) as connection:
        invite(connection, day, given)
        plan = plan_copy(connection, Run("bench", "plan", CAMPAIGN), day.isoformat(), template=TEMPLATE,
                         fallback_template=FALLBACK, models=[MODEL_ID])  # fmt: skip
    asked = [plan.book.model_request(normalise(context, plan.book.vocabulary), MODEL_ID) for context in given]
    return {
        "system": asked[0].messages[0]["content"],
        "user": [request.messages[1]["content"] for request in asked],
        "options": {"response_format": asked[0].response_format, **asked[0].parameters},
    }


def _peers_python() -> Path:
    return Path(os.environ.get("NURTURE_PEERS", PROJECT / ".venv-peers")) / "bin" / "python"


@contextmanager
def _peers_airflow(state: Any, folder: Path) -> Iterator[Any]:
    """Airflow from the other environment, with the demo's settings and a metadata database of its own."""
    from demo import processes, stack
    from demo.airflow import MODEL_KEY, AirflowApi, environment

    airflow = _peers_python().parent / "airflow"
    database = "peers"
    stack.postgres(state).create_database(database)
    (folder / "no_plugins").mkdir()
    connection = {"conn_type": "pydanticai", "host": f"{state.model_url}/v1", "password": MODEL_KEY}
    variables = environment(state)
    variables |= {
        "PATH": f"{airflow.parent}{os.pathsep}{variables['PATH']}",
        "PYTHONPATH": "",
        "AIRFLOW_HOME": str(folder / "peers"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(Path(__file__).parent / "peer_dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(folder / "no_plugins"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://postgres@127.0.0.1:{state.postgres_port}/{database}",
        "AIRFLOW_CONN_PEER": json.dumps(connection),
        "NURTURE_BENCH_PEERS": str(folder),
    }
    with (folder / "peers.log").open("ab") as log:
        subprocess.run([airflow, "db", "migrate"], env=variables, check=True, stdout=log, stderr=log, cwd=folder)
    started = processes.start([airflow, "standalone"], log=folder / "peers.log", environment=variables, folder=folder)
    try:
        api = AirflowApi(state)
        api.wait_until_healthy(180)
        api.wait_for_dags({"bench_llm_mapped", "bench_llm_batch"}, 120)
        yield api
    finally:
        started.stop()


def _run_once(api: Any, dag_id: str) -> float:
    """Trigger a run and wait for its end; returns its seconds as Airflow counts them."""
    api.unpause(dag_id)
    run_id = api.send("POST", f"/dags/{dag_id}/dagRuns", {"logical_date": None})["dag_run_id"]
    deadline = time.monotonic() + LONGEST_RUN_SECONDS
    while (run := api.get(f"/dags/{dag_id}/dagRuns/{run_id}"))["state"] not in ("success", "failed"):
        if time.monotonic() > deadline:
            raise RuntimeError(f"{dag_id} did not end within {LONGEST_RUN_SECONDS} s")
        time.sleep(1)
    if run["state"] == "failed":
        print(f"  {dag_id} failed: {_first_failure(api, dag_id, run_id)}")
    return _seconds_of(run)


def _first_failure(api: Any, dag_id: str, run_id: str) -> str:
    failed = next(task for task in api.tasks(dag_id, run_id) if task["state"] == "failed")
    path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{failed['task_id']}/logs/{failed['try_number']}"
    log = json.dumps(api.get(path, map_index=failed["map_index"]))
    return log[max(0, log.find("exc_value") - 200) :][:1_000]


def _seconds_of(run: dict[str, Any]) -> float:
    from demo.airflow import parse_time

    return (parse_time(run["end_date"]) - parse_time(run["start_date"])).total_seconds()


if __name__ == "__main__":
    main()
