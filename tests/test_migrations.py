"""The warehouse reaches its schema by one command, and stays there."""

import shutil
from pathlib import Path

import psycopg
import pytest

from demo.postgres import EmbeddedPostgres
from nurture.errors import ConfigError
from nurture.warehouse.migrate import MIGRATIONS, migrate


def test_a_second_run_changes_nothing(warehouse: psycopg.Connection) -> None:
    assert migrate(warehouse) == []


def test_a_file_edited_after_it_ran_is_refused_by_name(warehouse: psycopg.Connection, tmp_path: Path) -> None:
    shutil.copytree(MIGRATIONS, tmp_path / "migrations")
    edited = tmp_path / "migrations" / "0001_schemas_and_raw.sql"
    edited.write_text(edited.read_text() + "-- one more\n")

    with pytest.raises(ConfigError, match=r"0001_schemas_and_raw\.sql: changed after it ran"):
        migrate(warehouse, tmp_path / "migrations")


def test_a_broken_file_leaves_nothing_behind(postgres: EmbeddedPostgres, tmp_path: Path) -> None:
    (tmp_path / "0001_good.sql").write_text("CREATE TABLE public.good (x int);")
    (tmp_path / "0002_bad.sql").write_text("CREATE TABLE public.bad (x int); SELECT no_such_column;")
    postgres.create_database("half_migrated")

    with psycopg.connect(postgres.url("half_migrated")) as connection:
        with pytest.raises(psycopg.errors.UndefinedColumn):
            migrate(connection, tmp_path)
        left = connection.execute("SELECT to_regclass('public.good')").fetchone()

    assert left == (None,)
