"""A real sandbox CRM, reached over HTTP through the Airflow connection `crm`."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from crm_connection import connect

from demo.postgres import EmbeddedPostgres
from nurture.hooks.hubspot import HubSpotHook
from nurture.policy import Crm, load_policy
from sandbox.crm.server import RunningCrm, running


@pytest.fixture(scope="session")
def crm_server(postgres: EmbeddedPostgres) -> Iterator[RunningCrm]:
    """One server for the session."""
    name = f"crm_{uuid4().hex[:12]}"
    postgres.create_database(name)
    with running(postgres.url(name)) as server:
        yield server


@pytest.fixture
def crm(crm_server: RunningCrm, monkeypatch: pytest.MonkeyPatch) -> RunningCrm:
    """An empty CRM without rate limits; the connection `crm` leads to it."""
    crm_server.admin("reset", {})
    crm_server.admin("requests", method="DELETE")
    crm_server.configure(ten_secondly_limit=None, search_secondly_limit=None)
    connect(monkeypatch, crm_server.url, crm_server.token)
    return crm_server


@pytest.fixture
def crm_policy() -> Crm:
    """The real policy, but impatient."""
    return load_policy().crm.model_copy(update={"timeout_seconds": 5, "settle_after_seconds": 0.0})


@pytest.fixture
def hook(crm: RunningCrm, crm_policy: Crm) -> HubSpotHook:
    return HubSpotHook("crm", policy=crm_policy, backoff_seconds=0.01)
