"""A real CRM server in a process of its own, for tests and the demo."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import httpx

from demo.postgres import free_port

PROJECT = Path(__file__).resolve().parents[2]
START_SECONDS = 60
TOKEN = "sandbox-crm-token"  # noqa: S105 - opens nothing but a sandbox on loopback
ADMIN_HEADERS = {"X-Sandbox-Admin": "sandbox"}


@dataclass(frozen=True)
class RunningCrm:
    """A server that answers.

    Attributes:
        url: without a trailing slash; `HubSpot(access_token=crm.token, host=crm.url)` drives it.
        token: the access token that it accepts.
    """

    url: str
    token: str = TOKEN

    @property
    def headers(self) -> dict[str, str]:
        """What an API request must carry."""
        return {"Authorization": f"Bearer {self.token}"}

    def admin(self, route: str, body: Any = None, *, method: str | None = None) -> Any:
        """GET `/__admin__/<route>`, or POST `body` when one is given (`reset` takes `{}`); returns the parsed answer."""
        answer = httpx.request(
            method or ("GET" if body is None else "POST"),
            f"{self.url}/__admin__/{route}", json=body, headers=ADMIN_HEADERS, timeout=60,
        )  # fmt: skip
        if answer.is_error:
            raise RuntimeError(f"/__admin__/{route} answered {answer.status_code}: {answer.text[:500]}")
        return answer.json()

    def seed(self, contacts: list[dict[str, Any]]) -> int:
        """Put contacts in as they are: list of `{id?, properties, archived?, createdate?, lastmodifieddate?}`."""
        return int(self.admin("contacts", contacts)["seeded"])

    def fault(self, match: str, **details: Any) -> None:
        """Queue a fault for the requests whose path has `match`; the details are those of `sandbox.crm.faults.Fault`."""
        self.admin("faults", {"match": match, **details})

    def configure(self, **settings: Any) -> None:
        """Change settings: the fields of `sandbox.crm.settings.Settings`."""
        self.admin("settings", settings)

    def writes(self, property_name: str) -> list[dict[str, str]]:
        """`{contact_id, value, written_at}` of every API write to a property, oldest first."""
        found: list[dict[str, str]] = self.admin(f"writes?property={property_name}")["writes"]
        return found


@contextmanager
def running(database_url: str) -> Iterator[RunningCrm]:
    """Start a server on a free port, wait until it is healthy, and stop it at the end.

    Raises:
        RuntimeError: it ended or stayed silent; the message carries what it said.
    """
    port = free_port()
    command = [sys.executable, "-m", "sandbox.crm", "--port", str(port), "--database-url", database_url]
    crm = RunningCrm(f"http://127.0.0.1:{port}")
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        try:
            _wait_until_healthy(process, crm, said)
            yield crm
        finally:
            process.terminate()
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_healthy(process: subprocess.Popen[bytes], crm: RunningCrm, said: IO[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            said.seek(0)
            words = said.read().decode(errors="replace")
            raise RuntimeError(f"The sandbox CRM ended with {process.returncode}: {words[-2000:]}")
        try:
            httpx.get(f"{crm.url}/__admin__/health", timeout=2).raise_for_status()
            return
        except httpx.TransportError:
            time.sleep(0.05)
    raise RuntimeError(f"The sandbox CRM did not answer at {crm.url} within {START_SECONDS} s.")
