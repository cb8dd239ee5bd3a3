"""A sandbox server in a process of its own, for tests and the demo."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import httpx

from demo.postgres import free_port

PROJECT = Path(__file__).resolve().parents[1]
START_SECONDS = 60
ADMIN_HEADERS = {"X-Sandbox-Admin": "sandbox"}
HTTP = httpx.Client(timeout=60)  # one for all: every new client reads the certificates of the machine, 20 ms


def admin(root: str, route: str, body: Any = None, *, method: str | None = None) -> Any:
    """GET `<root>/__admin__/<route>`, or POST `body` when one is given (`reset` takes `{}`); returns the parsed answer.

    Raises:
        RuntimeError: the server refused it; the message carries its words.
    """
    verb = method or ("GET" if body is None else "POST")
    answer = HTTP.request(verb, f"{root}/__admin__/{route}", json=body, headers=ADMIN_HEADERS)
    if answer.is_error:
        raise RuntimeError(f"/__admin__/{route} answered {answer.status_code}: {answer.text[:500]}")
    return answer.json()


@contextmanager
def server_process(module: str, database_url: str, *options: str) -> Iterator[str]:
    """Run `python -m <module>` on a free port, give its root URL once it is healthy, and stop it at the end.

    Raises:
        RuntimeError: it ended or stayed silent; the message carries what it said.
    """
    port = free_port()
    root = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", module, "--port", str(port), "--database-url", database_url, *options]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        try:
            _wait_until_healthy(module, process, root, said)
            yield root
        finally:
            process.terminate()
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_healthy(module: str, process: subprocess.Popen[bytes], root: str, said: IO[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            said.seek(0)
            words = said.read().decode(errors="replace")
            raise RuntimeError(f"{module} ended with {process.returncode}: {words[-2000:]}")
        try:
            HTTP.get(f"{root}/__admin__/health", timeout=2).raise_for_status()
            return
        except httpx.TransportError:
            time.sleep(0.02)
    raise RuntimeError(f"{module} did not answer at {root} within {START_SECONDS} s.")
