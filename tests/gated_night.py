"""An Airflow DAG with a gate on contacts, work behind it, a reporter that is kept, and a teardown."""

from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, TriggerRule

from nurture.operators.quality_gate import QualityGateOperator


def gated_night(**gate: Any) -> DAG:
    """The DAG; keywords replace arguments of its gate."""
    arguments = {"tables": ["staging.contacts"], "day": "2026-11-21", "keep": ["report"], "retries": 0} | gate
    with DAG(dag_id="gated_night", schedule=None) as dag:
        stop = QualityGateOperator(task_id="gate", **arguments)
        prepare, work, more, clean = (EmptyOperator(task_id=name) for name in ("prepare", "work", "more", "clean"))
        report = EmptyOperator(task_id="report", trigger_rule=TriggerRule.ALL_DONE)
        prepare >> stop >> work >> more >> report
        more >> clean.as_teardown(setups=prepare)
    return dag


dag = gated_night()
