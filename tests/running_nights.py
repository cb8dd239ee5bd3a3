"""The demo's stack in a folder of its own, for tests that run whole nights through Airflow's scheduler."""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg

from demo import night, stack
from demo.airflow import DATASET, PROJECT_ID, AirflowApi, environment
from demo.fill import DAYS, PEOPLE, SEED, Wanted, fill
from demo.postgres import free_port
from demo.state import State, fresh
from sandbox.crm.server import RunningCrm
from sandbox.ga4_export import export_days
from sandbox.world import generate

DAGS = ("customer_data", "lead_nurture")


SECONDS_TO_READ = 5  # that a person takes to answer


@dataclass
class Nights:
    """A running stack and what its nights did."""

    state: State
    api: AirflowApi
    day: date
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)

    def warehouse(self) -> psycopg.Connection:
        return psycopg.connect(stack.postgres(self.state).url("warehouse"))

    def one(self, sql: str, *values: Any) -> Any:
        with self.warehouse() as connection:
            row = connection.execute(sql.encode(), values).fetchone()
        return row[0] if row and len(row) == 1 else row

    @property
    def crm(self) -> RunningCrm:
        return RunningCrm(self.state.crm_url)

    def run(self, dag_id: str) -> dict[str, Any]:
        """Run last night, again when it ran before."""
        self.runs[dag_id] = night.run_last_night(self.api, dag_id, self.day, print)
        return self.runs[dag_id]

    def states(self, dag_id: str, run_id: str | None = None) -> dict[str, str]:
        """State of each task of a run; by default of the last one that `run` started."""
        tasks = self.api.tasks(dag_id, run_id or self.runs[dag_id]["dag_run_id"])
        return {task["task_id"]: task["state"] for task in tasks}

    def messages_seen_by_crm(self) -> Counter[tuple[str, str]]:
        """How often each message reached each contact, as the CRM counted it."""
        return Counter(
            (write["contact_id"], write["value"]) for write in self.crm.writes("nurture_message_id") if write["value"]
        )

    def export(self, **world: Any) -> None:
        """Put the world's last four days into the emulator again, broken or mended."""
        changed = generate(people=PEOPLE, days=DAYS, last_day=self.day, seed=SEED, **world)
        days = {day: changed.events(day) for day in changed.days[-4:]}
        export_days(days, rest_url=stack.bigquery(self.state).rest_url, project=PROJECT_ID, dataset=DATASET)

    def airflow(self, *words: str) -> str:
        command = [str(Path(sys.executable).parent / "airflow"), *words]
        done = subprocess.run(command, env=environment(self.state), capture_output=True, text=True, check=True)
        return done.stdout

    def approve_all(self, run_id: str, *, note: str) -> None:
        """Answer as a person does, some seconds after the question, and answer again when Airflow asks again.

        An answer within a second can meet the scheduler before it has heard that the asking process ended: it then takes
        the task for killed, and its next try asks anew (apache/airflow#72716, open with 3.3.2). Nothing tells when it has.
        """
        path = f"/dags/lead_nurture/dagRuns/{run_id}/taskInstances/approve_flagged/-1/hitlDetails"
        deadline = time.monotonic() + 600
        while time.monotonic() < deadline:
            if not self.api.get(path)["response_received"]:
                time.sleep(SECONDS_TO_READ)
                self.api.send("PATCH", path, {"chosen_options": ["Approve all"], "params_input": {"note": note}})
            for _ in self.api.watch("lead_nurture", run_id, 600):
                pass
            if self.states("lead_nurture", run_id)["approve_flagged"] != "awaiting_input":
                return
            time.sleep(0.5)
        raise RuntimeError(f"{run_id}: the answer was not taken within 600 s")


@contextmanager
def running_nights() -> Iterator[Nights]:
    """The stack, filled with the demo's world; no night has run yet."""
    state = fresh(free_port())
    try:
        api = stack.start(state, print)
        day = night.last_day(datetime.now(UTC))
        fill(state, Wanted(day), print)
        api.wait_for_dags(set(DAGS), 60)
        yield Nights(state, api, day)
    finally:
        stack.stop(state, print)
        stack.delete_data(state, print)
