"""A day's verdict goes before its data is replaced, and campaigns wait for the new one."""

from datetime import timedelta
from typing import Any

import psycopg
import pytest

from dags_under_test import dag_bag, statements_of
from nurture.operators.require_trusted_day import RequireTrustedDay
from nurture.scorecard.night import keep_report
from nurture.warehouse.statements import statement
from quality_night import DAY, RUN

pytestmark = pytest.mark.slow  # Great Expectations takes seconds


@pytest.fixture(autouse=True)
def warehouse_connection(warehouse_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", warehouse_url)


def run(connection: psycopg.Connection, *steps: str) -> None:
    """Run the statements of steps of customer_data, as the DAG names them."""
    for step in steps:
        for name in statements_of("customer_data", step):
            connection.execute(statement(name), {"day": DAY, "run_id": RUN["run_id"]})
    connection.commit()


def is_open(day: Any = DAY) -> bool:
    """Whether a campaign of the day may begin."""
    return RequireTrustedDay(task_id="require_trusted_day", day=day.isoformat()).poke({})


def test_no_load_begins_before_the_verdict_is_withdrawn() -> None:
    dag = dag_bag().dags["customer_data"]

    assert [task.task_id for task in dag.roots] == ["withdraw_trust"]
    assert {"load_ga4_events", "load_crm_contacts"} <= dag.get_task("withdraw_trust").downstream_task_ids


def test_a_campaign_waits_while_its_trusted_day_is_loaded_again_and_begins_after_it(warehouse: psycopg.Connection) -> None:
    run(warehouse, "trust_day")
    before = is_open()

    run(warehouse, "withdraw_trust")
    meanwhile = is_open()
    run(warehouse, "trust_day")

    assert (before, meanwhile, is_open()) == (True, False, True)


def test_a_day_whose_second_run_breaks_stays_without_a_verdict(warehouse: psycopg.Connection) -> None:
    run(warehouse, "trust_day", "withdraw_trust")

    broken = {"outcome": "failed", "reason": "a step failed", "report": {}}
    keep_report(
        warehouse, dag_id=RUN["dag_id"], run_id=RUN["run_id"], day=str(DAY), decides_trust=True, **broken
    )  # fmt: skip
    warehouse.commit()

    assert not is_open()


def test_earlier_days_keep_their_verdict(warehouse: psycopg.Connection) -> None:
    yesterday = DAY - timedelta(days=1)
    warehouse.execute("INSERT INTO ops.trusted_day (day, status, run_id) VALUES (%s, 'trusted', 'r')", (yesterday,))

    run(warehouse, "withdraw_trust")

    assert is_open(yesterday)
