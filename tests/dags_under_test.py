"""The project's DAGs as tests see them: parsed once for a test session."""

from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[1] / "dags"


@cache
def dag_bag() -> Any:
    """Airflow's own reading of `dags/`."""
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(str(FOLDER))


def statements_of(dag_id: str, task_id: str) -> list[str]:
    """The SQL files of one step, so that tests run what the DAG runs."""
    return list(dag_bag().dags[dag_id].get_task(task_id).statements)
