"""Bring a warehouse to the current schema: `python -m nurture.warehouse.migrate [URL]`.

Numbered files in `include/sql/migrations` run in order, each in one transaction with its entry in
`public.schema_migration`. A second run changes nothing; a file that was edited after it ran is an error.
"""

import hashlib
import os
import sys
from pathlib import Path

import psycopg

from nurture.errors import ConfigError
from nurture.paths import SQL

MIGRATIONS = SQL / "migrations"
LOCK_KEY = 7_262_001  # any number, the same for everyone: two migrations at once wait for each other


def migrate(connection: psycopg.Connection, folder: Path = MIGRATIONS) -> list[str]:
    """Apply what is missing and return the names of the files applied now.

    Raises:
        ConfigError: an applied file was changed since, or an applied file is gone.
    """
    files = {path.name: path.read_text() for path in sorted(folder.glob("[0-9]*.sql"))}
    if not files:
        raise ConfigError(f"{folder}: no migrations found; expected files such as 0001_schemas.sql")
    applied_now = []
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK_KEY,))
        connection.execute(
            "CREATE TABLE IF NOT EXISTS public.schema_migration ("
            "name text PRIMARY KEY, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        rows = connection.execute("SELECT name, sha256 FROM public.schema_migration").fetchall()
        applied: dict[str, str] = {str(row[0]): str(row[1]) for row in rows}
        if gone := sorted(set(applied) - set(files)):
            raise ConfigError(f"{folder}: {gone} ran on this warehouse but are not here; put them back")
        for name, text in files.items():
            digest = hashlib.sha256(text.encode()).hexdigest()
            if name in applied:
                if applied[name] != digest:
                    raise ConfigError(
                        f"{folder / name}: changed after it ran on this warehouse; "
                        "restore the file and put the change into a new, higher number"
                    )
                continue
            connection.execute(text.encode())
            connection.execute("INSERT INTO public.schema_migration (name, sha256) VALUES (%s, %s)", (name, digest))
            applied_now.append(name)
    return applied_now


def main() -> None:
    """Command line: the URL is the first argument or `WAREHOUSE_URL`."""
    url = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("WAREHOUSE_URL")
    if not url:
        sys.exit("No warehouse given: pass postgresql://user@host/database or set WAREHOUSE_URL.")
    with psycopg.connect(url) as connection:
        applied = migrate(connection)
    print(f"applied {', '.join(applied)}" if applied else "already current")


if __name__ == "__main__":
    main()
