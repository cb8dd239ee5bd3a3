"""The page of dead letters: what to do, what to paste, nothing of anybody's data."""

import json
import re
from collections.abc import Iterator
from html import unescape

import psycopg
import pytest
from fastapi.testclient import TestClient

from nurture.dead_letters.letters import Asking, Choice
from nurture.dead_letters.retry import give_up
from nurture.warehouse.dead_letter import DeadLetter, bury

pytestmark = pytest.mark.slow  # whole worlds in the warehouse

EVIL = "<script>alert(1)</script>"


@pytest.fixture
def page(warehouse: psycopg.Connection) -> Iterator[TestClient]:
    """The pages as a viewer sees them, over this test's warehouse."""
    from airflow.api_fastapi.core_api.security import get_user

    from nurture.scorecard import app as scorecard

    scorecard.app.dependency_overrides = {get_user: lambda: None, scorecard.warehouse: lambda: warehouse}
    yield TestClient(scorecard.app)
    scorecard.app.dependency_overrides = {}


@pytest.fixture
def letters(warehouse: psycopg.Connection) -> dict[str, int]:
    """One letter of three sources; ids by key."""
    bury(
        warehouse,
        [
            DeadLetter(
                "crm.push", "lead_nurture/p_1/week-2026-W47", f"409 CONFLICT: {EVIL}", payload={"name": "Annika Berg"}
            ),
            DeadLetter("ga4.events", "events_20261118:7", "user_id: too long", "user_id"),
            DeadLetter("an.older.source", "k", "why"),
        ],
        dag_id="lead_nurture",
        run_id="r",
    )
    warehouse.commit()
    return dict(warehouse.execute("SELECT key, dead_letter_id FROM ops.dead_letter").fetchall())


def test_without_letters_the_page_says_so(page: TestClient) -> None:
    assert "There is none" in page.get("/dead-letters").text


def test_the_page_says_what_to_do_and_has_params_that_can_be_pasted(page: TestClient, letters: dict[str, int]) -> None:
    text = page.get("/dead-letters").text

    params = [json.loads(unescape(found)) for found in re.findall(r"<code>(\{.*?\})</code>", text)]
    push = letters["lead_nurture/p_1/week-2026-W47"]
    assert params[0] == {"action": "retry", "source": "crm.push", "ids": [push], "note": "why"}
    event = letters["events_20261118:7"]
    assert params[1] == {"action": "give up", "source": "ga4.events", "ids": [event], "note": "why"}
    assert "airflow backfill create --dag-id customer_data" in text
    assert "Do what the reason says" in text and "the site&#39;s tag" in text
    assert text.index("crm.push") < text.index("ga4.events") < text.index("an.older.source")


def test_nothing_in_it_is_markup_and_no_payload_is_shown(page: TestClient, letters: dict[str, int]) -> None:
    text = page.get("/dead-letters").text

    assert EVIL not in text and "&lt;script&gt;" in text
    assert "Annika" not in text and "payload sha256" in text


def test_one_source_one_run_and_one_state_can_be_asked_for(
    page: TestClient, letters: dict[str, int], warehouse: psycopg.Connection
) -> None:
    give_up(warehouse, Asking("d", "r", "robin", "never mind"), Choice(ids=[letters["k"]]))

    def shown(**asked: str) -> set[str]:
        text = page.get("/dead-letters", params=asked).text
        return {key for key in letters if f"<code>{key}</code>" in text}

    assert shown(source="ga4.events") == {"events_20261118:7"}
    assert shown(dag_id="lead_nurture", run_id="another") == set()
    assert shown(state="given up") == {"k"}
    assert "given up by robin" in page.get("/dead-letters", params={"state": "given up"}).text
    assert page.get("/dead-letters", params={"state": "'; DROP TABLE"}).status_code == 422


def test_the_page_is_closed_to_who_is_not_logged_in(page: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.api_fastapi.core_api.security import get_user
    from fastapi import HTTPException

    from nurture.scorecard.app import app

    def nobody() -> None:
        raise HTTPException(401)

    monkeypatch.setitem(app.dependency_overrides, get_user, nobody)

    assert page.get("/dead-letters").status_code == 401
