"""Any message can be explained, from its bytes down to the fact, the call, the reviewer, the event and the CRM fields."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from nurture.copywriting.pieces import canonical, sha256
from warehouse_rows import insert

CAMPAIGN, DAY, SLOT, MODEL_REQUEST = "lead_nurture", "2026-11-20", "week-2026-W47", "request of the model"
EVIL = "<script>alert(1)</script>"
AT = datetime(2026, 11, 19, 9, 30, tzinfo=UTC)
PIECE = {
    "headline": "Count less", "body": "Count counts. Shall we talk?", "cta": "See how", "cited_fact_ids": ["count-what"],
    "citations": [{"part": "body", "sentence": "Count counts.", "fact_ids": ["count-what"]}],
}  # fmt: skip

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
values = st.recursive(
    texts | st.none() | st.booleans() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(texts, inner)
)


@pytest.mark.slow
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values, texts)
def test_the_store_recomputes_the_hash_of_every_piece_byte_for_byte(
    warehouse: psycopg.Connection, output: Any, request_hash: str
) -> None:
    row = warehouse.execute(
        "SELECT ops.canonical(%(output)s), ops.content_id(%(request)s, %(output)s)",
        {"output": Jsonb(output), "request": request_hash},
    ).fetchone()

    assert row == (canonical(output), sha256({"request_hash": request_hash, "output": output}))


def add_piece(warehouse: psycopg.Connection, output: dict[str, Any], **columns: Any) -> str:
    request = columns.pop("request_hash", MODEL_REQUEST)
    copy_id = sha256({"request_hash": request, "output": output})
    values = {
        "copy_id": copy_id, "request_hash": request, "campaign": CAMPAIGN, "template_id": "lead_nurture",
        "template_version": 2, "origin": "model", "model": "writer-1", "confidence": 0.87,
        "parameters": Jsonb({"temperature": 0}), "context": Jsonb({"industry": "retail"}),
        "fact_ids": Jsonb(["count-what"]), "output": Jsonb(output),
        "verdict": "flagged", "reasons": Jsonb([{"name": "discount", "found": "says 'deal'"}]),
    }  # fmt: skip
    insert(warehouse, "ops", "copy", values | columns)
    insert(
        warehouse,
        "ops",
        "copy_source",
        {"copy_id": copy_id, "fact_id": "count-what", "fact_version": 1, "source": "a sheet"},
    )
    return copy_id


@pytest.fixture
def message(warehouse: psycopg.Connection) -> str:
    """The message that two people got: a reviewer edited the model's piece. Gives back its id."""
    flagged = add_piece(warehouse, PIECE)
    edited = add_piece(
        warehouse, PIECE | {"cta": "Take a look"}, request_hash="request of an edit", origin="edited", edited_from=flagged,
        edited_by="robin",
    )  # fmt: skip
    fact = {"fact_id": "count-what", "version": 1, "text": "Count counts.", "source": "a sheet", "approver": "legal"}
    insert(warehouse, "ops", "fact", fact | {"valid_from": "2020-01-01", "is_current": True})
    for attempt, status, cost in ((1, "rate_limited", 0), (2, "ok", Decimal("0.0004"))):
        call = {
            "dag_id": CAMPAIGN,
            "run_id": "run-1",
            "campaign": CAMPAIGN,
            "request_hash": MODEL_REQUEST,
            "latency_ms": 300,
        }
        call |= {"template_id": "lead_nurture", "template_version": 2, "model": "writer-1", "attempt": attempt}
        insert(warehouse, "ops", "llm_call", call | {"status": status, "cost_usd": cost})
    approval = {"campaign": CAMPAIGN, "day": DAY, "copy_id": flagged, "decision": "edited", "edited_copy_id": edited}
    approval |= {"reviewer": "robin", "note": "less pushy", "decided_at": AT, "run_id": "run-1"}
    insert(warehouse, "ops", "approval", approval)
    event = {"event_day": "2026-11-19", "row_number": 42, "event_at": AT, "event_name": "demo_request"}
    lists = {name: Jsonb([]) for name in ("event_params", "user_properties", "items")}
    insert(warehouse, "raw_ga4", "events", event | lists | {"rest": Jsonb({})})
    for person in ("p1", "p2"):
        where = {"campaign": CAMPAIGN, "day": DAY, "person_id": person, "slot": SLOT}
        audience = where | {"crm_id": f"crm-{person}", "trigger_event": "demo_request", "trigger_at": AT, "arm": "ai"}
        audience |= {"trigger_event_day": "2026-11-19", "trigger_row_number": 42, "context": Jsonb({"industry": "retail"})}
        insert(warehouse, "marts", "audience", audience | {"consent_basis": "granted"})
        features = {"day": DAY, "person_id": person, "crm_id": f"crm-{person}", "industry": "retail", "persona": "founder"}
        insert(warehouse, "marts", "person_features", features | {"events_7d": 3, "sessions_7d": 1})
        chosen = {
            "message_id": "message of the flagged piece",
            "copy_id": flagged,
            "fallback_copy_id": flagged,
            "lane": "approval",
        }
        insert(warehouse, "ops", "message", where | chosen)
        ledger = where | {"message_id": "the message", "copy_id": edited, "state": "confirmed", "reason": "written"}
        ledger |= {"crm_id": f"crm-{person}", "claim_token": "00000000-0000-0000-0000-000000000000", "run_id": "run-1"}
        insert(warehouse, "ops", "push_ledger", ledger)
    warehouse.commit()
    return "the message"


@pytest.fixture
def pages(warehouse: psycopg.Connection) -> Iterator[TestClient]:
    from airflow.api_fastapi.core_api.security import get_user

    from nurture.scorecard import app as scorecard

    scorecard.app.dependency_overrides = {get_user: lambda: None, scorecard.warehouse: lambda: warehouse}
    yield TestClient(scorecard.app)
    scorecard.app.dependency_overrides = {}


def rows(warehouse: psycopg.Connection, view: str, message_id: str) -> list[dict[str, Any]]:
    with warehouse.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(f"SELECT * FROM ops.{view} WHERE message_id = %s".encode(), (message_id,)).fetchall()


def test_one_row_explains_a_message(warehouse: psycopg.Connection, message: str) -> None:
    [lineage] = rows(warehouse, "message_lineage", message)

    assert (lineage["headline"], lineage["body"], lineage["cta"]) == (
        "Count less",
        "Count counts. Shall we talk?",
        "Take a look",
    )
    assert lineage["is_intact"] is True
    assert (lineage["template"], lineage["model"], lineage["parameters"]) == (
        "lead_nurture@v2",
        "writer-1",
        {"temperature": 0},
    )
    assert (lineage["context"], lineage["verdict"], lineage["confidence"]) == ({"industry": "retail"}, "flagged", 0.87)
    assert lineage["reasons"] == [{"name": "discount", "found": "says 'deal'"}]
    [fact] = lineage["facts"]
    assert (fact["id"], fact["text"], fact["source"], fact["approver"]) == (
        "count-what",
        "Count counts.",
        "a sheet",
        "legal",
    )
    assert fact["sentences"] == [{"part": "body", "sentence": "Count counts."}]
    [decision] = lineage["decisions"]
    assert (decision["decision"], decision["reviewer"], decision["note"]) == ("edited", "robin", "less pushy")
    assert datetime.fromisoformat(decision["decided_at"]) == AT
    assert (lineage["origin"], lineage["edited_by"], lineage["edited_from_output"]["cta"]) == ("edited", "robin", "See how")
    assert [call["status"] for call in lineage["calls"]] == ["rate_limited", "ok"]
    assert (lineage["cost_usd"], lineage["cost_usd_per_person"]) == (Decimal("0.0004"), Decimal("0.0002"))
    assert (lineage["people"], lineage["states"]) == (2, {"confirmed": 2})


def test_each_recipient_has_the_event_and_the_crm_fields_behind_it(warehouse: psycopg.Connection, message: str) -> None:
    recipients = rows(warehouse, "message_recipient", message)

    first = min(recipients, key=lambda row: str(row["person_id"]))
    assert len(recipients) == 2
    assert (first["event_name"], first["event_at"], first["event_row_number"]) == ("demo_request", AT, 42)
    assert (str(first["event_day"]), first["is_event_in_raw"]) == ("2026-11-19", True)
    assert (first["crm_id"], first["crm_fields"]) == ("crm-p1", {"industry": "retail", "persona": "founder"})
    assert (first["state"], first["reason"], first["consent_basis"]) == ("confirmed", "written", "granted")


def test_the_message_that_was_chosen_and_not_sent_says_so(warehouse: psycopg.Connection, message: str) -> None:
    [chosen] = rows(warehouse, "message_lineage", "message of the flagged piece")

    assert (chosen["cta"], chosen["states"]) == ("See how", {"another message took its place": 2})
    assert [decision["decision"] for decision in chosen["decisions"]] == ["edited"]


def test_bytes_that_were_changed_are_seen(warehouse: psycopg.Connection, message: str, pages: TestClient) -> None:
    warehouse.execute("UPDATE ops.copy SET output = output || '{\"cta\": \"Pay now\"}' WHERE origin = 'edited'")

    [lineage] = rows(warehouse, "message_lineage", message)

    assert lineage["is_intact"] is False
    assert "do not fit their hash" in pages.get("/message", params={"message_id": message}).text


def test_an_event_that_the_export_rewrote_is_not_passed_off_as_the_one(warehouse: psycopg.Connection, message: str) -> None:
    warehouse.execute("UPDATE raw_ga4.events SET event_name = 'page_view'")

    recipients = rows(warehouse, "message_recipient", message)

    assert [row["is_event_in_raw"] for row in recipients] == [False, False]


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
