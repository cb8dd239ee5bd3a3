"""A real model server in a process of its own, for tests and the demo."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from demo.postgres import free_port

PROJECT = Path(__file__).resolve().parents[2]
START_SECONDS = 60


@dataclass(frozen=True)
class RunningModel:
    """A server that answers.

    Attributes:
        url: what the `openai` client takes as `base_url` (ends in `/v1`).
        api_key: the key that it accepts.
    """

    port: int
    api_key: str = "sandbox-model-key"

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.root}/v1"

    def misbehave(self, mode: str, **details: Any) -> None:
        """Add a rule: `mode` and the other fields of `sandbox.model.behaviour.Rule`."""
        self.admin("behaviour", {"mode": mode, **details})

    def admin(self, route: str, body: dict[str, Any] | None = None) -> Any:
        """GET `/__admin__/<route>`, or POST `body` when one is given (`reset` takes `{}`); returns the parsed answer."""
        method = "GET" if body is None else "POST"
        answer = httpx.request(
            method, f"{self.root}/__admin__/{route}", json=body, headers={"X-Sandbox-Admin": "sandbox"}, timeout=30
        )
        answer.raise_for_status()
        return answer.json()


@contextmanager
def running(database_url: str, *, latency_ms: float = 0, requests_per_minute: int | None = None) -> Iterator[RunningModel]:
    """Start a server on a free port, wait until it is healthy, and stop it at the end.

    Raises:
        RuntimeError: it ended or stayed silent; the message carries what it said.
    """
    port = free_port()
    command = [sys.executable, "-m", "sandbox.model", "--port", str(port), "--database-url", database_url,
               "--latency-ms", str(latency_ms)]  # fmt: skip
    if requests_per_minute is not None:
        command += ["--requests-per-minute", str(requests_per_minute)]
    process = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        _wait_until_healthy(process, port)
        yield RunningModel(port)
    finally:
        process.terminate()
        process.communicate(timeout=30)


def _wait_until_healthy(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            said = process.stderr.read().decode(errors="replace") if process.stderr else ""
            raise RuntimeError(f"The sandbox model server ended with {process.returncode}: {said[-2000:]}")
        try:
            httpx.get(f"http://127.0.0.1:{port}/__admin__/health", timeout=2).raise_for_status()
            return
        except httpx.TransportError:
            time.sleep(0.05)
    raise RuntimeError(f"The sandbox model server did not answer on port {port} within {START_SECONDS} s.")
