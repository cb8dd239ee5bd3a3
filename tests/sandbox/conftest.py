"""One sandbox CRM and one sandbox model for the tests of this folder; each test finds them empty."""

from collections.abc import Iterator

import httpx
import openai
import pytest

from demo.postgres import EmbeddedPostgres
from sandbox import model as sandbox_model
from sandbox.crm import RunningCrm, running
from sandbox.model import RunningModel


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


@pytest.fixture(scope="session")
def model_database_url(postgres: EmbeddedPostgres) -> str:
    postgres.create_database("sandbox_model")
    return postgres.url("sandbox_model")


@pytest.fixture(scope="session")
def model_server(model_database_url: str) -> Iterator[RunningModel]:
    with sandbox_model.running(model_database_url) as model:
        yield model


@pytest.fixture
def model(model_server: RunningModel) -> RunningModel:
    """The server without orders to misbehave, answers or batches."""
    model_server.admin("reset", {})
    return model_server


@pytest.fixture
def client(model: RunningModel) -> Iterator[openai.OpenAI]:
    """The vendor's own client of the model."""
    with openai.OpenAI(base_url=model.url, api_key=model.api_key, max_retries=0) as client:
        yield client
