"""One sandbox CRM for the tests of this folder; each test finds it empty."""

from collections.abc import Iterator

import httpx
import pytest

from demo.postgres import EmbeddedPostgres
from sandbox.crm import RunningCrm, running


@pytest.fixture(scope="session")
def crm_server(postgres: EmbeddedPostgres) -> Iterator[RunningCrm]:
    postgres.create_database("sandbox_crm")
    with running(postgres.url("sandbox_crm")) as crm:
        yield crm


@pytest.fixture
def crm(crm_server: RunningCrm) -> RunningCrm:
    """The server without contacts, faults or counted requests."""
    crm_server.admin("reset", {})
    return crm_server


@pytest.fixture
def api(crm: RunningCrm) -> Iterator[httpx.Client]:
    """Plain HTTP with a valid token."""
    with httpx.Client(base_url=crm.url, headers=crm.headers) as client:
        yield client
