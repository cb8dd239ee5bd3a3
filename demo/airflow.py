"""Airflow itself: the settings of the demo, and a small client of its REST API."""

import json
import os
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from demo.state import AIRFLOW_HOME, PROJECT, State

DATASET = "analytics_100200300"
PROJECT_ID = "nurture-sandbox"
CRM_TOKEN = "sandbox-crm-token"  # noqa: S105  opens nothing but the sandbox
MODEL_KEY = "sandbox-model-key"
SANDBOX_MODEL = "sandbox-writer-1"


def environment(state: State) -> dict[str, str]:
    """The environment of every Airflow process: settings, the four connections, all on 127.0.0.1."""
    bin_folder = str(Path(sys.executable).parent)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    inherited.pop("PYTHONDONTWRITEBYTECODE", None)  # without bytecode every Airflow command takes 12 s, not 3 s
    url = state.airflow_url
    return inherited | {
        "PATH": f"{bin_folder}{os.pathsep}{inherited.get('PATH', '')}",
        "PYTHONPATH": f"{PROJECT / 'plugins'}",
        "AIRFLOW_HOME": str(AIRFLOW_HOME),
        "AIRFLOW__CORE__DAGS_FOLDER": os.environ.get("NURTURE_DEMO_DAGS", str(PROJECT / "dags")),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(AIRFLOW_HOME / "passwords.json"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://postgres@127.0.0.1:{state.postgres_port}/airflow",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(state.airflow_port),
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "10",
        "AIRFLOW__LOGGING__NAMESPACE_LEVELS": "great_expectations=WARNING",
        "AIRFLOW_CONN_WAREHOUSE": json.dumps({
            "conn_type": "postgres", "host": "127.0.0.1", "port": state.postgres_port, "login": "postgres",
            "schema": "warehouse"}),
        "AIRFLOW_CONN_GA4": json.dumps({
            "conn_type": "google_cloud_platform",
            "extra": {"project": PROJECT_ID, "dataset": DATASET, "is_anonymous": True, "use_legacy_sql": False,
                      "location": "US", "storage_endpoint": f"127.0.0.1:{state.bigquery_grpc_port}"}}),
        "BIGQUERY_EMULATOR_HOST": f"http://127.0.0.1:{state.bigquery_rest_port}",
        "AIRFLOW_CONN_CRM": json.dumps({
            "conn_type": "http", "host": state.crm_url, "password": CRM_TOKEN, "extra": {"api_version": "v3"}}),
        "AIRFLOW_CONN_LLM": json.dumps(_llm_connection(state)),
    }  # fmt: skip


def uses_real_model() -> bool:
    """Whether the user gave an endpoint of their own."""
    return bool(os.environ.get("OPENAI_API_KEY"))


def _llm_connection(state: State) -> dict[str, Any]:
    if uses_real_model():
        return {
            "conn_type": "openai", "password": os.environ["OPENAI_API_KEY"],
            "host": os.environ.get("OPENAI_BASE_URL", "https://api.openai.com/v1"),
            "extra": {"model": os.environ.get("OPENAI_MODEL", "gpt-4o-mini")},
        }  # fmt: skip
    return {"conn_type": "openai", "password": MODEL_KEY, "host": f"{state.model_url}/v1", "extra": {"model": SANDBOX_MODEL}}


class AirflowApi:
    """The calls that the demo needs, as the user `admin`."""

    def __init__(self, state: State) -> None:
        # No connection is kept: the server closes one that is idle for some seconds, and a question may go out just then.
        limits = httpx.Limits(max_keepalive_connections=0)
        self._client = httpx.Client(base_url=state.airflow_url, timeout=60, limits=limits)
        self._password = state.password

    def wait_until_healthy(self, seconds: float) -> None:
        """Wait until every component says so.

        Raises:
            RuntimeError: one of them did not in time.
        """
        deadline = time.monotonic() + seconds
        health: dict[str, Any] = {}
        while time.monotonic() < deadline:
            try:
                health = self._client.get("/api/v2/monitor/health").json()
                states = {name: (part or {}).get("status") for name, part in health.items()}
                if all(
                    states.get(name) == "healthy" for name in ("metadatabase", "scheduler", "dag_processor", "triggerer")
                ):
                    self._log_in()
                    return
            except (httpx.HTTPError, ValueError):
                pass
            time.sleep(0.5)
        raise RuntimeError(f"Airflow was not healthy within {seconds:.0f} s: {health}; .demo/airflow.log says why.")

    def _log_in(self) -> None:
        answer = self._client.post("/auth/token", json={"username": "admin", "password": self._password})
        answer.raise_for_status()
        self._client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def get(self, path: str, **params: Any) -> Any:
        return self._answer(self._client.get(f"/api/v2{path}", params=params))

    def send(self, method: str, path: str, body: dict[str, Any]) -> Any:
        return self._answer(self._client.request(method, f"/api/v2{path}", json=body))

    @staticmethod
    def _answer(answer: httpx.Response) -> Any:
        if answer.is_error:
            raise RuntimeError(f"Airflow answered {answer.status_code} to {answer.request.url}: {answer.text[:500]}")
        return answer.json() if answer.content else None

    def wait_for_dags(self, wanted: set[str], seconds: float) -> None:
        """Wait until the DAG processor has read all of `wanted`."""
        deadline = time.monotonic() + seconds
        known: set[str] = set()
        while time.monotonic() < deadline:
            known = {dag["dag_id"] for dag in self.get("/dags", limit=100)["dags"]}
            if wanted <= known:
                return
            time.sleep(0.5)
        errors = [error["stack_trace"] for error in self.get("/importErrors")["import_errors"]]
        raise RuntimeError(
            f"DAGs {sorted(wanted - known)} did not appear within {seconds:.0f} s. {' '.join(errors)[-2000:]}"
        )

    def unpause(self, dag_id: str) -> None:
        self.send("PATCH", f"/dags/{dag_id}?update_mask=is_paused", {"is_paused": False})

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        """The latest 100 runs of a DAG, newest first."""
        runs: list[dict[str, Any]] = self.get(f"/dags/{dag_id}/dagRuns", limit=100, order_by="-run_after")["dag_runs"]
        return runs

    def tasks(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        tasks: list[dict[str, Any]] = self.get(f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances")["task_instances"]
        return tasks

    def watch(self, dag_id: str, run_id: str, seconds: float) -> Iterator[dict[str, Any]]:
        """Yield each task once when it has ended; return when the run has, or when it only waits for a person.

        Raises:
            RuntimeError: neither happened in time.
        """
        told: set[str] = set()
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            run = self.get(f"/dags/{dag_id}/dagRuns/{run_id}")
            tasks = self.tasks(dag_id, run_id)
            for task in sorted(tasks, key=lambda item: item["end_date"] or ""):
                if task["task_id"] not in told and task["state"] in ENDED:
                    told.add(task["task_id"])
                    yield task
            if run["state"] in ("success", "failed") or _only_waits(tasks):
                return
            time.sleep(0.5)
        raise RuntimeError(f"{dag_id} {run_id} did not end within {seconds:.0f} s; look at it in the UI.")


ENDED = {"success", "failed", "skipped", "upstream_failed", "removed"}


def _only_waits(tasks: list[dict[str, Any]]) -> bool:
    """Whether a person's answer is all that the run still needs."""
    states = {task["task_id"]: task["state"] for task in tasks}
    if "awaiting_input" not in states.values():
        return False
    return all(state in ENDED or state in ("awaiting_input", None) for state in states.values())


def parse_time(text: str) -> datetime:
    """A time as the API writes it."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
