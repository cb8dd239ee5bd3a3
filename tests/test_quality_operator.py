"""A gate in a DAG run: what it stops, what goes on, who is told."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import psycopg
import pytest

from quality_night import add_contacts

pytestmark = pytest.mark.airflow


@pytest.fixture(scope="module", autouse=True)
def metadata() -> None:
    """Airflow's own database, in the session's AIRFLOW_HOME, which knows the DAG."""
    subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], check=True, capture_output=True)
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db

    DagBundlesManager().sync_bundles_to_db()
    sync_bag_to_db(DagBag(str(Path(__file__).with_name("gated_night.py"))), "dags-folder", None)


@pytest.fixture(autouse=True)
def warehouse_connection(warehouse_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", warehouse_url)


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What was posted to a webhook that the connection `alerts` names."""
    posted: list[Any] = []

    class Webhook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

    server = HTTPServer(("127.0.0.1", 0), Webhook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/hook"
    monkeypatch.setenv("AIRFLOW_CONN_ALERTS", json.dumps({"conn_type": "http", "host": address}))
    yield posted
    server.shutdown()


def run_night(**gate: Any) -> tuple[Any, dict[str, str]]:
    """The run of a night, and the state in which each of its tasks ended."""
    from gated_night import gated_night

    run = gated_night(**gate).test()
    return run, {ti.task_id: ti.state for ti in run.get_task_instances()}


def xcom(run: Any, key: str) -> Any:
    """What the gate pushed under `key`."""
    from airflow.models.xcom import XComModel
    from airflow.settings import Session

    query = XComModel.get_many(run_id=run.run_id, key=key, dag_ids=run.dag_id, task_ids="gate")
    with Session() as session:
        return XComModel.deserialize_value(session.execute(query).scalars().one())


def test_a_gate_that_passes_lets_everything_go_on(warehouse: psycopg.Connection) -> None:
    add_contacts(warehouse, 10)
    warehouse.commit()

    run, states = run_night()

    assert set(states.values()) == {"success"}
    assert xcom(run, "return_value") == {"pass": 2, "warn": 0, "fail": 0, "error": 0}


def test_a_gate_that_fails_skips_all_behind_it_but_what_is_kept_and_teardowns(warehouse: psycopg.Connection) -> None:
    add_contacts(warehouse, 10, email="shared@example.com")
    warehouse.commit()

    run, states = run_night()

    assert states == {
        "prepare": "success", "gate": "success", "work": "skipped", "more": "skipped", "report": "success",
        "clean": "success",
    }  # fmt: skip
    assert xcom(run, "return_value") == {"pass": 1, "warn": 0, "fail": 1, "error": 0}
    kept = warehouse.execute("SELECT status FROM ops.gate_result WHERE check_name = 'duplicate_contacts'").fetchone()
    assert kept == ("fail",)


def test_a_gate_that_cannot_look_fails_and_nothing_behind_it_runs(warehouse: psycopg.Connection) -> None:
    warehouse.execute("DROP TABLE staging.contacts")
    warehouse.commit()

    _, states = run_night()

    assert (states["gate"], states["work"], states["report"]) == ("failed", "upstream_failed", "success")


def test_people_are_told_without_keys_or_addresses(warehouse: psycopg.Connection, webhook: list[Any]) -> None:
    add_contacts(warehouse, 10, email="shared@example.com")
    warehouse.commit()

    run_night()

    assert len(webhook) == 1
    assert webhook[0]["text"].startswith("gated_night manual__")
    assert "was stopped by gate: 9 extra rows by e-mail among 10 contacts: 90 %" in webhook[0]["text"]
    assert "@" not in webhook[0]["text"]


def test_a_webhook_that_does_not_answer_does_not_let_the_night_go_on(
    warehouse: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_ALERTS", '{"conn_type": "http", "host": "http://127.0.0.1:1/hook"}')

    _, states = run_night()

    assert (states["gate"], states["work"]) == ("success", "skipped")


def test_the_task_links_to_its_data_docs(warehouse: psycopg.Connection) -> None:
    add_contacts(warehouse, 10)
    warehouse.commit()

    run, _ = run_night()

    link = xcom(run, "_link_DataDocsLink")
    assert link.startswith("/nurture/data-docs?dag_id=gated_night&run_id=manual__")
    assert link.endswith("&gate=gate")
    assert "+" not in link
