"""Where the warehouse is, for commands; DAGs have their connection `warehouse`."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

import psycopg
from psycopg import errors

from nurture.errors import ConfigError

_OLD_SCHEMA = (errors.UndefinedTable, errors.UndefinedColumn, errors.UndefinedFunction, errors.InvalidSchemaName)


@contextmanager
def connected() -> Iterator[psycopg.Connection]:
    """The warehouse of `warehouse_url`, for as long as a command needs it; committed at the end.

    Raises:
        ConfigError: it is not named, does not answer, or has not the current schema.
    """
    url = warehouse_url()
    try:
        connection = psycopg.connect(url)
    except psycopg.ProgrammingError:
        raise ConfigError(
            "What NURTURE_WAREHOUSE_URL says is no URL; expected postgresql://user:password@host/database."
        ) from None
    except psycopg.OperationalError as error:
        raise ConfigError(
            f"The warehouse does not answer: {_first_line(error)}. Start it, or correct NURTURE_WAREHOUSE_URL."
        ) from None
    try:
        with connection:
            yield connection
    except _OLD_SCHEMA as error:
        raise ConfigError(
            f"The warehouse has not the current schema ({_first_line(error)}): bring it there with "
            "`.venv/bin/python -m nurture.warehouse.migrate $NURTURE_WAREHOUSE_URL`."
        ) from None
    except psycopg.OperationalError as error:
        raise ConfigError(f"The warehouse went away: {_first_line(error)}. Run the command again.") from None


def warehouse_url() -> str:
    """The URL in `NURTURE_WAREHOUSE_URL`, or the Airflow connection in `AIRFLOW_CONN_WAREHOUSE` (URI or JSON).

    Raises:
        ConfigError: neither is set.
    """
    if url := os.environ.get("NURTURE_WAREHOUSE_URL"):
        return url
    connection = os.environ.get("AIRFLOW_CONN_WAREHOUSE", "")
    if connection.startswith("{"):
        return _url_of(json.loads(connection))
    if connection:
        return connection.replace("postgres://", "postgresql://", 1)
    raise ConfigError("No warehouse given: set NURTURE_WAREHOUSE_URL to postgresql://user:password@host/database.")


def _url_of(connection: dict[str, object]) -> str:
    login, password = (quote(str(connection.get(key) or ""), safe="") for key in ("login", "password"))
    user = f"{login}:{password}" if password else login
    return f"postgresql://{user}@{connection.get('host')}:{connection.get('port') or 5432}/{connection.get('schema')}"


def _first_line(error: psycopg.Error) -> str:
    return str(error).strip().partition("\n")[0]
