"""The pages about a message: all of it is shown, and nothing that others wrote is markup."""

import re
from collections.abc import Iterator

import psycopg
import pytest
from fastapi.testclient import TestClient
from psycopg.types.json import Jsonb

from explained_message import CAMPAIGN, DAY, add_message
from warehouse_rows import insert

EVIL = "<script>alert(1)</script>"


@pytest.fixture
def message(warehouse: psycopg.Connection) -> str:
    return add_message(warehouse)


@pytest.fixture
def pages(warehouse: psycopg.Connection) -> Iterator[TestClient]:
    from airflow.api_fastapi.core_api.security import get_user

    from nurture.scorecard import app as scorecard

    scorecard.app.dependency_overrides = {get_user: lambda: None, scorecard.warehouse: lambda: warehouse}
    yield TestClient(scorecard.app)
    scorecard.app.dependency_overrides = {}


def test_the_page_of_a_message_shows_all_of_it(message: str, pages: TestClient) -> None:
    answer = pages.get("/message", params={"message_id": message})

    shown = ["Take a look", "lead_nurture@v2", "writer-1", "robin", "less pushy", "count-what", "a sheet",
             "body: Count counts.", "0.87", "rate_limited", "$0.000400", "2 confirmed", "demo_request", "crm-p2",
             "raw_ga4.events 2026-11-19 / 42", "founder", "See how"]  # fmt: skip
    assert answer.status_code == 200
    assert [words for words in shown if words not in answer.text] == []
    assert (
        answer.text.index("Count less")
        < answer.text.index("Count counts. Shall we talk?")
        < answer.text.index("Take a look")
    )


def test_the_page_says_that_bytes_were_changed(warehouse: psycopg.Connection, message: str, pages: TestClient) -> None:
    warehouse.execute("UPDATE ops.copy SET output = output || '{\"cta\": \"Pay now\"}' WHERE origin = 'edited'")

    assert "do not fit their hash" in pages.get("/message", params={"message_id": message}).text


def test_with_a_person_the_page_shows_that_person_only(message: str, pages: TestClient) -> None:
    answer = pages.get("/message", params={"message_id": message, "person_id": "p2"})

    assert "crm-p2" in answer.text
    assert "crm-p1" not in answer.text


def test_the_night_leads_to_its_messages_and_its_flagged_copy(
    warehouse: psycopg.Connection, message: str, pages: TestClient
) -> None:
    insert(warehouse, "ops", "run_report",
           {"dag_id": CAMPAIGN, "run_id": "run-1", "day": DAY, "outcome": "completed", "report": "{}"})  # fmt: skip

    night = pages.get("/run", params={"dag_id": CAMPAIGN, "run_id": "run-1"}).text
    links = [link.replace("&amp;", "&") for link in re.findall(r'href="((?:message|review)\?[^"]*)"', night)]
    answers = [pages.get(f"/{link}") for link in links]

    assert links == [f"review?campaign={CAMPAIGN}&day={DAY}", "message?message_id=the%20message"]
    assert [answer.status_code for answer in answers] == [200, 200]
    review = answers[0].text
    assert [
        words
        for words in ("See how", "Take a look", "edited", "robin", "less pushy", "Count counts.")
        if words not in review
    ] == []


def test_what_others_wrote_is_text_and_never_markup(warehouse: psycopg.Connection, message: str, pages: TestClient) -> None:
    output = Jsonb({"headline": EVIL, "body": [EVIL], EVIL: EVIL})
    warehouse.execute(
        "UPDATE ops.copy SET output = %s, reasons = %s, model = %s, context = %s",
        (output, Jsonb([{EVIL: EVIL}]), EVIL, Jsonb({EVIL: EVIL})),
    )
    warehouse.execute("UPDATE ops.fact SET text = %(x)s, approver = %(x)s", {"x": EVIL})
    warehouse.execute("UPDATE ops.copy_source SET source = %(x)s", {"x": EVIL})
    warehouse.execute("UPDATE ops.approval SET note = %(x)s, reason = %(x)s, reviewer = %(x)s", {"x": EVIL})
    warehouse.execute("UPDATE ops.push_ledger SET reason = %(x)s, fallback_reason = %(x)s", {"x": EVIL})
    warehouse.execute("UPDATE marts.person_features SET persona = %(x)s", {"x": EVIL})
    insert(warehouse, "ops", "run_report",
           {"dag_id": CAMPAIGN, "run_id": "run-1", "day": DAY, "outcome": "completed", "report": "{}"})  # fmt: skip

    texts = [
        pages.get("/message", params={"message_id": message}).text,
        pages.get("/message", params={"message_id": message, "person_id": EVIL}).text,
        pages.get("/message", params={"message_id": EVIL}).text,
        pages.get("/review", params={"campaign": CAMPAIGN, "day": DAY}).text,
        pages.get("/review", params={"campaign": EVIL, "day": DAY}).text,
        pages.get("/run", params={"dag_id": CAMPAIGN, "run_id": "run-1"}).text,
    ]

    assert not any("<script" in text.lower() for text in texts)
    assert all("&lt;script&gt;" in text for text in texts)


@pytest.mark.parametrize("path", ["/message?message_id=never", "/review?campaign=lead_nurture&day=2020-01-01"])
def test_what_is_not_there_is_a_friendly_404(pages: TestClient, path: str) -> None:
    answer = pages.get(path)

    assert answer.status_code == 404
    assert "Latest nights" in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
