"""What the demo remembers between commands: its ports, its processes, the world that it filled in."""

import json
import os
import secrets
import socket
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from demo.postgres import free_port
from demo.processes import Started

PROJECT = Path(__file__).resolve().parents[1]
FOLDER = Path(os.environ.get("NURTURE_DEMO_FOLDER", PROJECT / ".demo"))  # the tests have theirs
AIRFLOW_HOME = FOLDER.parent / ".airflow"
STATE_FILE = FOLDER / "state.json"


@dataclass
class State:
    """Everything in `.demo/state.json`."""

    postgres_port: int
    crm_port: int
    model_port: int
    bigquery_rest_port: int
    bigquery_grpc_port: int
    airflow_port: int
    password: str
    postgres_data: str = ""
    processes: dict[str, dict[str, Any]] = field(default_factory=dict)
    world: dict[str, Any] = field(default_factory=dict)

    def process(self, name: str) -> Started | None:
        """The process group of that name, if one was started."""
        known = self.processes.get(name)
        return Started(**known) if known else None

    def is_running(self, name: str) -> bool:
        """Whether it runs; what a process that died left behind is ended first."""
        started = self.process(name)
        if started and started.has_left_children():
            started.stop()
        return bool(started and started.is_alive())

    def save(self) -> None:
        FOLDER.mkdir(exist_ok=True)
        STATE_FILE.write_text(json.dumps(asdict(self), indent=2))
        STATE_FILE.chmod(0o600)

    @property
    def airflow_url(self) -> str:
        return f"http://localhost:{self.airflow_port}"

    @property
    def crm_url(self) -> str:
        return f"http://127.0.0.1:{self.crm_port}"

    @property
    def model_url(self) -> str:
        return f"http://127.0.0.1:{self.model_port}"


def load() -> State | None:
    """The state of an earlier `make demo`, or None."""
    return State(**json.loads(STATE_FILE.read_text())) if STATE_FILE.exists() else None


def fresh(wanted_airflow_port: int) -> State:
    """New ports and a new password; Airflow on `wanted_airflow_port` when nobody has it."""
    return State(
        postgres_port=free_port(), crm_port=free_port(), model_port=free_port(),
        bigquery_rest_port=free_port(), bigquery_grpc_port=free_port(),
        airflow_port=wanted_airflow_port if _is_free(wanted_airflow_port) else free_port(),
        password=secrets.token_urlsafe(9),
    )  # fmt: skip


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
