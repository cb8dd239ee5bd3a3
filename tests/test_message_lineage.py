"""Any message can be explained, from its bytes down to the fact, the call, the reviewer, the event and the CRM fields."""

import re
from datetime import datetime
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from explained_message import AT, CRM_FIELDS, DAY, add_message
from nurture.copywriting.pieces import canonical, sha256
from nurture.paths import PROJECT

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


@pytest.fixture
def message(warehouse: psycopg.Connection) -> str:
    return add_message(warehouse)


def rows(warehouse: psycopg.Connection, view: str, message_id: str) -> list[dict[str, Any]]:
    with warehouse.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(f"SELECT * FROM ops.{view} WHERE message_id = %s".encode(), (message_id,)).fetchall()


def readme_query(view: str) -> str:
    """The query of `view` as README shows it."""
    [query] = re.findall(rf"`(SELECT [^`]*\bops\.{view} [^`]*)`", (PROJECT / "README.md").read_text(encoding="utf-8"))
    return str(query)


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
    assert (first["crm_id"], first["crm_fields"]) == ("crm-p1", CRM_FIELDS)
    assert first["recent_product"]["product_name"] == "Larkfield Count"
    assert (first["state"], first["reason"], first["consent_basis"]) == ("confirmed", "written", "granted")


def test_the_same_row_has_the_events_and_the_crm_fields_behind_it(warehouse: psycopg.Connection, message: str) -> None:
    [lineage] = rows(warehouse, "message_lineage", message)

    first, second = lineage["recipients"]
    assert ([first["person_id"], second["person_id"]], first["crm_id"]) == (["p1", "p2"], "crm-p1")
    assert first["event"] == {
        "name": "demo_request", "at": "2026-11-19T09:30:00Z", "day": "2026-11-19", "row_number": 42, "is_in_raw": True,
    }  # fmt: skip
    assert first["crm_fields"] == CRM_FIELDS
    assert (first["recent_product"]["product_id"], first["recent_product"]["product_name"]) == (
        "LF-COUNT",
        "Larkfield Count",
    )
    assert (first["day"], first["state"], first["consent_basis"]) == (DAY, "confirmed", "granted")


def test_of_many_people_it_has_twenty_and_their_number(warehouse: psycopg.Connection, message: str) -> None:
    warehouse.execute(
        "INSERT INTO ops.message SELECT campaign, day - n, 'p' || n + 2, slot, message_id, copy_id, copy_id, 'ready'"
        " FROM ops.push_ledger, generate_series(1, 30) AS n WHERE person_id = 'p1'"
    )

    [lineage] = rows(warehouse, "message_lineage", message)

    days = [person["day"] for person in lineage["recipients"]]
    assert (len(days), lineage["people"], days[:2], days == sorted(days, reverse=True)) == (20, 32, [DAY, DAY], True)


def test_a_contact_of_the_crm_leads_to_its_messages(warehouse: psycopg.Connection, message: str) -> None:
    query = readme_query("message_recipient").replace("…", "crm-p2")

    found = warehouse.execute(query.encode()).fetchall()

    assert sorted(row[0] for row in found) == ["message of the flagged piece", "the message"]


def test_the_query_of_the_readme_has_all_that_it_promises(warehouse: psycopg.Connection, message: str) -> None:
    query = readme_query("message_lineage").replace("…", message)

    with warehouse.cursor(row_factory=dict_row) as cursor:
        [lineage] = cursor.execute(query.encode()).fetchall()

    promised = {
        "output",
        "template",
        "model",
        "parameters",
        "context",
        "facts",
        "verdict",
        "decisions",
        "cost_usd",
        "recipients",
    }
    assert promised - lineage.keys() == set()


def test_the_message_that_was_chosen_and_not_sent_says_so(warehouse: psycopg.Connection, message: str) -> None:
    [chosen] = rows(warehouse, "message_lineage", "message of the flagged piece")

    assert (chosen["cta"], chosen["states"]) == ("See how", {"another message took its place": 2})
    assert [decision["decision"] for decision in chosen["decisions"]] == ["edited"]


def test_bytes_that_were_changed_are_seen(warehouse: psycopg.Connection, message: str) -> None:
    warehouse.execute("UPDATE ops.copy SET output = output || '{\"cta\": \"Pay now\"}' WHERE origin = 'edited'")

    [lineage] = rows(warehouse, "message_lineage", message)

    assert lineage["is_intact"] is False


def test_an_event_that_the_export_rewrote_is_not_passed_off_as_the_one(warehouse: psycopg.Connection, message: str) -> None:
    warehouse.execute("UPDATE raw_ga4.events SET event_name = 'page_view'")

    recipients = rows(warehouse, "message_recipient", message)

    assert [row["is_event_in_raw"] for row in recipients] == [False, False]
