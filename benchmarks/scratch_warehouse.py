"""A warehouse for a benchmark: migrated, in a PostgreSQL of its own, gone afterwards."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from demo.postgres import EmbeddedPostgres, free_port
from nurture.warehouse.migrate import migrate


@contextmanager
def warehouse(*, autocommit: bool = False) -> Iterator[psycopg.Connection]:
    """A connection to it."""
    folder = Path(tempfile.mkdtemp(prefix="nurture-bench-", dir="/var/tmp" if os.geteuid() == 0 else None))
    folder.chmod(0o755)
    server = EmbeddedPostgres(folder / "postgres", free_port())
    try:
        server.start()
        server.create_database("warehouse")
        with psycopg.connect(server.url("warehouse"), autocommit=autocommit) as connection:
            migrate(connection)
            yield connection
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
