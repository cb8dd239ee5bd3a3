"""The pages under /nurture: what they show, and that nothing in them is markup."""

import json
from collections.abc import Iterator

import psycopg
import pytest
from fastapi.testclient import TestClient

from quality_night import DAY, RUN, add_contacts, judge

pytestmark = pytest.mark.slow  # Great Expectations takes seconds

EVIL = "<script>alert(1)</script>"
ADDRESS = {"dag_id": RUN["dag_id"], "run_id": RUN["run_id"]}


@pytest.fixture
def pages(warehouse: psycopg.Connection) -> Iterator[TestClient]:
    """The pages as a viewer sees them, over this test's warehouse."""
    from airflow.api_fastapi.core_api.security import get_user

    from nurture.scorecard import app as scorecard

    scorecard.app.dependency_overrides = {get_user: lambda: None, scorecard.warehouse: lambda: warehouse}
    yield TestClient(scorecard.app)
    scorecard.app.dependency_overrides = {}


def report(connection: psycopg.Connection, outcome: str, **parts: object) -> None:
    """What `report_run` keeps of the night."""
    connection.execute(
        "INSERT INTO ops.run_report (dag_id, run_id, day, outcome, report) VALUES (%s, %s, %s, %s, %s)",
        (RUN["dag_id"], RUN["run_id"], DAY, outcome, json.dumps(parts)),
    )
    connection.commit()


def test_before_the_first_night_the_list_says_what_to_do(pages: TestClient) -> None:
    assert "No night has been reported yet" in pages.get("/").text


def test_the_list_shows_outcome_reason_and_checks(warehouse: psycopg.Connection, pages: TestClient) -> None:
    judge(warehouse, "staging.contacts")
    report(warehouse, "stopped", reason="there is no contact")

    text = pages.get("/").text

    assert "stopped" in text
    assert "there is no contact" in text
    assert "1 failed" in text
    assert "run?dag_id=customer_data&amp;run_id=scheduled__2026-11-21T02%3A00%3A00%2B00%3A00" in text


def test_a_night_shows_its_checks_and_every_part_of_its_report(warehouse: psycopg.Connection, pages: TestClient) -> None:
    add_contacts(warehouse, 10, email="shared@example.com")
    judge(warehouse, "staging.contacts")
    report(
        warehouse,
        "stopped",
        reason="too many duplicates",
        loads=[{"source": "ga4.events_20261121", "rows": 12034}, {"source": "hubspot.contacts", "note": "full load"}],
        audience={"qualified": 212, "suppressed": {"opted_out": 13}},
        model={"models": ["sandbox-writer-1"], "cost_usd": 0.0123},
        counterfactual={"sent_before_this_run": 301, "would_get_none_now": {"people": 1, "because": {"opted_out": 1}}},
    )

    answer = pages.get("/run", params=ADDRESS)

    assert answer.status_code == 200
    shown = ["too many duplicates", "duplicate_contacts", "90 %", "2 %", "9 keys", "Loads", "12,034", "full load",
             "Opted out", "212", "sandbox-writer-1", "0.0123", "data-docs?dag_id=",
             "What this run would have changed", "Sent before this run", "301"]  # fmt: skip
    assert [word for word in shown if word not in answer.text] == []


def test_a_night_that_still_runs_shows_the_gates_that_have_looked(warehouse: psycopg.Connection, pages: TestClient) -> None:
    judge(warehouse, "staging.contacts")

    answer = pages.get("/run", params=ADDRESS)

    assert answer.status_code == 200
    assert "running" in answer.text


def test_what_others_wrote_is_text_and_never_markup(warehouse: psycopg.Connection, pages: TestClient) -> None:
    judge(warehouse, "staging.contacts")
    warehouse.execute(
        "UPDATE ops.gate_result SET detail = %s, gate = %s, sample_keys = %s", (EVIL, EVIL, json.dumps([EVIL]))
    )
    report(warehouse, "failed", reason=EVIL, **{EVIL: {EVIL: [{EVIL: EVIL}]}})

    texts = [
        pages.get("/").text,
        pages.get("/run", params=ADDRESS).text,
        pages.get("/run", params={"dag_id": EVIL, "run_id": EVIL}).text,
    ]

    assert not any("<script" in text.lower() for text in texts)
    assert all("&lt;script&gt;" in text for text in texts)


@pytest.mark.parametrize("path", ["/run", "/data-docs"])
def test_what_is_not_there_is_a_friendly_404(pages: TestClient, path: str) -> None:
    answer = pages.get(path, params={"dag_id": "customer_data", "run_id": "never ran", "gate": "g"})

    assert answer.status_code == 404
    assert "Latest nights" in answer.text
    assert "never ran" in answer.text


def test_data_docs_are_served_in_a_sandbox(warehouse: psycopg.Connection, pages: TestClient) -> None:
    judge(warehouse, "staging.contacts")

    answer = pages.get("/data-docs", params={**ADDRESS, "gate": RUN["gate"]})

    assert "Great Expectations" in answer.text
    assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")


@pytest.mark.parametrize("path", ["/", "/run", "/data-docs"])
def test_pages_allow_neither_scripts_nor_anything_from_elsewhere(pages: TestClient, path: str) -> None:
    policy = pages.get(path, params={**ADDRESS, "gate": "g"}).headers["content-security-policy"]

    assert "default-src 'none'" in policy
    assert "script-src" not in policy
