"""Starts and stops what the demo consists of; what runs already is left alone."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import psycopg

from demo import processes
from demo.airflow import DATASET, AirflowApi, environment
from demo.bigquery import BigQueryEmulator
from demo.postgres import EmbeddedPostgres, data_folder
from demo.state import AIRFLOW_HOME, FOLDER, PROJECT, State
from nurture.warehouse.migrate import migrate

Say = Callable[[str], None]


def postgres(state: State) -> EmbeddedPostgres:
    """The demo's cluster; its databases are `airflow`, `warehouse` and `sandbox`."""
    state.postgres_data = state.postgres_data or str(data_folder(FOLDER / "postgres"))
    return EmbeddedPostgres(Path(state.postgres_data), state.postgres_port)


def bigquery(state: State) -> BigQueryEmulator:
    return BigQueryEmulator(FOLDER / "bigquery", state.bigquery_rest_port, state.bigquery_grpc_port)


def start(state: State, say: Say) -> AirflowApi:
    """Bring everything up, in the order in which it is needed."""
    _timed(say, "PostgreSQL", lambda: _start_postgres(state))
    _timed(say, "BigQuery emulator", bigquery(state).start)
    for name, port, health in (
        ("crm", state.crm_port, f"{state.crm_url}/__admin__/health"),
        ("model", state.model_port, f"{state.model_url}/__admin__/health"),
    ):
        _timed(say, f"sandbox {name}", lambda name=name, port=port, health=health: _start_sandbox(state, name, port, health))
    api = AirflowApi(state)
    _timed(say, "Airflow", lambda: _start_airflow(state, api))
    return api


def stop(state: State, say: Say) -> None:
    """End what `start` started, and only that."""
    for name in ("airflow", "crm", "model"):
        if started := state.process(name):
            started.stop()
            say(f"stopped {name}")
    if bigquery(state).is_running():
        bigquery(state).stop()
        say("stopped BigQuery emulator")
    if postgres(state).is_running():
        postgres(state).stop()
        say("stopped PostgreSQL")
    state.processes.clear()
    state.save()


def delete_data(state: State, say: Say) -> None:
    """Delete everything that the demo wrote; the virtual environments stay."""
    for folder in (Path(state.postgres_data), FOLDER, AIRFLOW_HOME):
        shutil.rmtree(folder, ignore_errors=True)
        say(f"deleted {folder}")


def empty_databases(state: State) -> None:
    """Give the warehouse a fresh start: another world is about to move in."""
    server = postgres(state)
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS warehouse WITH (FORCE)")
    server.create_database("warehouse")
    with psycopg.connect(server.url("warehouse")) as connection:
        migrate(connection)


def _start_postgres(state: State) -> None:
    server = postgres(state)
    server.start()
    state.save()
    for database in ("airflow", "warehouse", "sandbox"):
        server.create_database(database)
    with psycopg.connect(server.url("warehouse")) as connection:
        migrate(connection)


def _start_sandbox(state: State, name: str, port: int, health: str) -> None:
    if state.is_running(name):
        return
    command = [sys.executable, "-m", f"sandbox.{name}", "--port", port, "--database-url", postgres(state).url("sandbox")]
    variables = environment(state) | {"PYTHONPATH": f"{PROJECT}:{PROJECT / 'plugins'}"}
    log = FOLDER / f"{name}.log"
    started = processes.start(command, log=log, environment=variables, folder=PROJECT)
    state.processes[name] = started.as_dict()
    state.save()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and started.is_alive():
        try:
            httpx.get(health, headers={"X-Sandbox-Admin": "sandbox"}, timeout=2).raise_for_status()
            return
        except httpx.HTTPError:
            time.sleep(0.1)
    raise RuntimeError(f"The sandbox {name} did not answer; {log} says why.")


def _start_airflow(state: State, api: AirflowApi) -> None:
    if not state.is_running("airflow"):
        AIRFLOW_HOME.mkdir(exist_ok=True)
        passwords = AIRFLOW_HOME / "passwords.json"
        passwords.write_text(json.dumps({"admin": state.password}))
        passwords.chmod(0o600)
        airflow = Path(sys.executable).parent / "airflow"
        variables = environment(state)
        with (FOLDER / "airflow.log").open("ab") as log:
            subprocess.run([airflow, "db", "migrate"], env=variables, check=True, stdout=log, stderr=log, cwd=PROJECT)
        started = processes.start([airflow, "standalone"], log=FOLDER / "airflow.log", environment=variables, folder=PROJECT)
        state.processes["airflow"] = started.as_dict()
        state.save()
    api.wait_until_healthy(180)


def _timed(say: Say, name: str, action: Callable[[], None]) -> None:
    began = time.monotonic()
    action()
    say(f"{name} is up ({time.monotonic() - began:.1f} s)")


def holds_events(state: State) -> bool:
    """Whether the emulator still has export tables."""
    answer = httpx.get(
        f"{bigquery(state).rest_url}/bigquery/v2/projects/{bigquery(state).project}/datasets/{DATASET}/tables"
    )
    return answer.is_success and bool(answer.json().get("tables"))
