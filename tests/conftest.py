"""Real parts for the tests: one embedded PostgreSQL, and a fresh migrated warehouse wherever one is asked for."""

import os
import shutil
import tempfile

# Airflow reads these when it is first imported.
os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="nurture-airflow-"))
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
os.environ["OPENAI_API_KEY"] = ""  # a test never asks a real model, and never pays
# The demo stack that tests start is theirs alone: it never meets one that a user has running.
os.environ["NURTURE_DEMO_FOLDER"] = f"{tempfile.mkdtemp(prefix='nurture-demo-')}/demo"

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from demo.postgres import EmbeddedPostgres, free_port
from nurture.warehouse.migrate import migrate

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


def _memory_or_disk() -> str | None:
    """A folder in memory where there is one with room: making 500 databases on a busy disk takes minutes."""
    for folder, least in (("/dev/shm", 2 << 30), ("/var/tmp", 0)):
        if os.access(folder, os.W_OK) and shutil.disk_usage(folder).free > least:
            return folder
    return None


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL server for this test session; its database `migrated` is the template of every warehouse."""
    folder = Path(tempfile.mkdtemp(prefix="nurture-test-", dir=_memory_or_disk()))
    folder.chmod(0o755)
    server = EmbeddedPostgres(folder / "data", free_port(), is_durable=False)
    server.start()
    server.create_database("migrated")
    with psycopg.connect(server.url("migrated")) as connection:
        migrate(connection)
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def housekeeping(postgres: EmbeddedPostgres) -> Iterator[psycopg.Connection]:
    """The connection over which databases come and go: one for all tests."""
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
        yield connection


@pytest.fixture
def warehouse_url(postgres: EmbeddedPostgres, housekeeping: psycopg.Connection) -> Iterator[str]:
    """The URL of a migrated warehouse of this test's own."""
    name = f"wh_{uuid4().hex[:12]}"
    housekeeping.execute(f'CREATE DATABASE "{name}" TEMPLATE migrated STRATEGY FILE_COPY'.encode())
    yield postgres.url(name)
    housekeeping.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


@pytest.fixture
def warehouse(warehouse_url: str) -> Iterator[psycopg.Connection]:
    """A connection to a migrated warehouse of this test's own; commit as the code under test would."""
    with psycopg.connect(warehouse_url) as connection:
        yield connection


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real GA4 and CRM rows, outside the repository; tests that need them skip where they are absent."""
    if not SHARED.is_dir():
        pytest.skip(f"real data not present at {SHARED}")
    return SHARED
