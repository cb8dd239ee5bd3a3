"""The sandbox CRM in a process of its own, for tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sandbox.server_process import admin, server_process

TOKEN = "sandbox-crm-token"  # noqa: S105 - opens nothing but a sandbox on loopback


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
        return admin(self.url, route, body, method=method)

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
    """Start a server on a free port and stop it at the end.

    Raises:
        RuntimeError: it ended or stayed silent; the message carries what it said.
    """
    with server_process("sandbox.crm", database_url) as root:
        yield RunningCrm(root)
