"""The page of a dry run: counts for everybody, people for those who may trigger the DAG, and no markup of others."""

import json
from collections.abc import Iterator

import psycopg
import pytest
from fastapi.testclient import TestClient

EVIL = "<script>alert(1)</script>"
RUN = {"dag_id": "lead_nurture", "run_id": "manual__1"}


@pytest.fixture
def pages(warehouse: psycopg.Connection) -> Iterator[TestClient]:
    from airflow.api_fastapi.core_api.security import get_user

    from nurture.scorecard import app as scorecard

    scorecard.app.dependency_overrides = {get_user: lambda: None, scorecard.warehouse: lambda: warehouse}
    yield TestClient(scorecard.app)
    scorecard.app.dependency_overrides = {}


def let(monkeypatch: pytest.MonkeyPatch, *, see_people: bool) -> None:
    monkeypatch.setattr("nurture.scorecard.app.may_see_people", lambda _user, _dag_id: see_people)


def add_rows(warehouse: psycopg.Connection) -> None:
    rows = [
        ("1", "written", "would be written now", {"nurture_subject": [EVIL, "Hello Annika"]}),
        ("2", "suppressed", f"on the suppression list legal: {EVIL}", {}),
    ]
    for crm_id, outcome, reason, changes in rows:
        warehouse.execute(
            "INSERT INTO ops.dry_run (dag_id, run_id, campaign, day, lane, person_id, slot, crm_id, message_id, outcome,"
            " reason, changes) VALUES (%s, %s, 'lead_nurture', '2026-11-20', 'ready', %s, 'week', %s, 'm', %s, %s, %s)",
            (*RUN.values(), f"p{crm_id}", crm_id, outcome, reason, json.dumps(changes)),
        )
    warehouse.commit()


def test_who_may_trigger_the_dag_sees_what_would_change_on_whom(
    warehouse: psycopg.Connection, pages: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_rows(warehouse)
    let(monkeypatch, see_people=True)

    answer = pages.get("/dry-run", params=RUN)

    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Hello Annika" in answer.text
    assert "nurture_subject" in answer.text
    assert EVIL not in answer.text
    assert "&lt;script&gt;" in answer.text


def test_others_see_counts_only(warehouse: psycopg.Connection, pages: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    add_rows(warehouse)
    let(monkeypatch, see_people=False)

    text = pages.get("/dry-run", params=RUN).text

    assert "suppression list legal" in text
    assert "Annika" not in text
    assert "nurture_subject" not in text
    assert "personal data" in text


def test_a_run_that_is_no_dry_run_has_no_page(pages: TestClient) -> None:
    assert pages.get("/dry-run", params=RUN).status_code == 404


@pytest.mark.parametrize(("role", "may"), [("viewer", False), ("user", True), ("op", True), ("admin", True)])
def test_people_are_shown_to_whom_airflow_lets_trigger_the_dag(
    monkeypatch: pytest.MonkeyPatch, role: str, may: bool
) -> None:
    from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    from nurture.scorecard.app import may_see_people

    monkeypatch.setattr("airflow.api_fastapi.app.get_auth_manager", SimpleAuthManager)

    assert may_see_people(SimpleAuthManagerUser(username="robin", role=role), "lead_nurture") is may
