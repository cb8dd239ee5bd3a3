"""Parses DAG files in a process of its own and prints what each cost: run as `python parse_alone.py PROJECT FILE…`.

Airflow and the provider classes that the operators build on are imported first: the figures are what comes on top.
"""

import importlib
import json
import sys
import time
from typing import Any

ON_TOP_OF = (
    "airflow.sdk",
    "airflow.models",
    "airflow.providers.common.sql.operators.sql",
    "airflow.providers.http.hooks.http",
    "airflow.providers.postgres.hooks.postgres",
    "airflow.providers.standard.operators.hitl",
)
HEAVY = {"great_expectations", "duckdb", "pyarrow", "openai", "pandas", "google.cloud.bigquery"}


def main(project: str, *paths: str) -> None:
    for name in ON_TOP_OF:
        importlib.import_module(name)
    before = set(sys.modules)
    opened: list[str] = []

    def watch(event: str, details: tuple[Any, ...]) -> None:
        if event == "socket.connect":
            opened.append(f"connection to {details[1]}")
        elif event == "open" and isinstance(details[0], str) and details[0].startswith(project):
            is_code = details[0].endswith((".py", ".pyc")) or "/__pycache__" in details[0] or "/.venv/" in details[0]
            if not is_code:
                opened.append(details[0])

    sys.addaudithook(watch)
    for path in paths:
        opened.clear()
        began = time.process_time()
        with open(path) as file:  # noqa: PTH123
            exec(compile(file.read(), path, "exec"), {"__name__": "parsed", "__file__": path})
        seconds = time.process_time() - began
        heavy = sorted((set(sys.modules) - before) & HEAVY)
        print(json.dumps({"path": path, "seconds": seconds, "opened": opened, "heavy": heavy}))


if __name__ == "__main__":
    main(*sys.argv[1:])
