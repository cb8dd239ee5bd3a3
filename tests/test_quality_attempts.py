"""A run is judged by its last attempt: what gates found in an earlier one names no reason any more."""

from typing import Any

import psycopg
import pytest
from airflow.sdk import DAG

from nurture.operators.quality_gate import QualityGateOperator
from nurture.scorecard.night import stop_reason
from quality_night import DAY, RUN, add_contacts

pytestmark = pytest.mark.slow  # Great Expectations takes seconds

NIGHT = {"dag_id": "three_gates", "run_id": RUN["run_id"]}


def three_gates() -> DAG:
    """A DAG of three gates in a row; only the one in the middle is run here."""
    arguments: dict[str, Any] = {"tables": ["staging.contacts"], "day": DAY.isoformat()}
    with DAG(dag_id="three_gates", schedule=None) as dag:
        before, now, after = (
            QualityGateOperator(task_id=f"gate_{name}", **arguments) for name in ("before", "now", "after")
        )
        before >> now >> after
    return dag


def found(connection: psycopg.Connection, gate: str, status: str, *, run_id: str = NIGHT["run_id"]) -> None:
    """What an earlier attempt left."""
    values = {**NIGHT, "run_id": run_id, "gate": gate, "day": DAY, "status": status}
    connection.execute(
        """
        INSERT INTO ops.gate_result (dag_id, run_id, gate, check_name, day, table_name, severity, status, detail)
        VALUES (%(dag_id)s, %(run_id)s, %(gate)s, 'some_check', %(day)s, 't', 'stop', %(status)s, %(gate)s || ' said')
        """,
        values,
    )
    connection.execute(
        "INSERT INTO ops.data_docs (dag_id, run_id, gate, html) VALUES (%(dag_id)s, %(run_id)s, %(gate)s, 'page')", values
    )


def test_a_gate_drops_what_it_and_the_gates_behind_it_found_before(
    warehouse: psycopg.Connection, warehouse_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", warehouse_url)
    add_contacts(warehouse, 10)
    found(warehouse, "gate_before", "pass")
    found(warehouse, "gate_now", "error")
    found(warehouse, "gate_after", "fail")
    found(warehouse, "gate_after", "fail", run_id="another run")
    warehouse.commit()
    dag = three_gates()

    dag.get_task("gate_now").execute({"dag": dag, "run_id": NIGHT["run_id"]})

    assert stop_reason(warehouse, **NIGHT) is None
    assert stop_reason(warehouse, **NIGHT | {"run_id": "another run"}) == "gate_after: gate_after said"
    kept = warehouse.execute("SELECT DISTINCT gate FROM ops.gate_result WHERE run_id = %(run_id)s ORDER BY 1", NIGHT)
    assert kept.fetchall() == [("gate_before",), ("gate_now",)]
    pages = warehouse.execute("SELECT gate FROM ops.data_docs WHERE run_id = %(run_id)s ORDER BY 1", NIGHT)
    assert pages.fetchall() == [("gate_before",), ("gate_now",)]


def test_a_check_that_could_not_be_evaluated_is_a_reason_too(warehouse: psycopg.Connection) -> None:
    found(warehouse, "gate_before", "error")
    found(warehouse, "gate_now", "warn")

    assert stop_reason(warehouse, **NIGHT) == "gate_before: gate_before said"
