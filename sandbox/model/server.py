"""The sandbox model in a process of its own, for tests and benchmarks."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sandbox.server_process import admin, server_process


@dataclass(frozen=True)
class RunningModel:
    """A server that answers.

    Attributes:
        root: its address, without a trailing slash.
        api_key: the key that it accepts.
    """

    root: str
    api_key: str = "sandbox-model-key"

    @property
    def url(self) -> str:
        """What the `openai` client takes as `base_url`."""
        return f"{self.root}/v1"

    def misbehave(self, mode: str, **details: Any) -> None:
        """Add a rule: `mode` and the other fields of `sandbox.model.behaviour.Rule`."""
        self.admin("behaviour", {"mode": mode, **details})

    def admin(self, route: str, body: dict[str, Any] | None = None) -> Any:
        """GET `/__admin__/<route>`, or POST `body` when one is given (`reset` takes `{}`); returns the parsed answer."""
        return admin(self.root, route, body)


@contextmanager
def running(database_url: str, *, latency_ms: float = 0, requests_per_minute: int | None = None) -> Iterator[RunningModel]:
    """Start a server on a free port and stop it at the end.

    Raises:
        RuntimeError: it ended or stayed silent; the message carries what it said.
    """
    limit = [] if requests_per_minute is None else ["--requests-per-minute", str(requests_per_minute)]
    with server_process("sandbox.model", database_url, "--latency-ms", str(latency_ms), *limit) as root:
        yield RunningModel(root)
