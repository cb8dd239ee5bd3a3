"""Where the warehouse is, for commands; DAGs have their connection `warehouse`."""

import json
import os
from urllib.parse import quote

from nurture.errors import ConfigError


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
