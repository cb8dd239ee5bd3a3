"""One message with all that is behind it: copy and its edit, fact, calls, reviewer, event, CRM fields."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from nurture.copywriting.pieces import sha256
from warehouse_rows import insert

CAMPAIGN, DAY, SLOT, MODEL_REQUEST = "lead_nurture", "2026-11-20", "week-2026-W47", "request of the model"
AT = datetime(2026, 11, 19, 9, 30, tzinfo=UTC)
CRM_FIELDS = {
    "persona": "founder", "industry": "retail", "pain_point": "stock_errors", "lifecycle_stage": "lead",
    "country": "Germany",
}  # fmt: skip
PIECE = {
    "headline": "Count less", "body": "Count counts. Shall we talk?", "cta": "See how", "cited_fact_ids": ["count-what"],
    "citations": [{"part": "body", "sentence": "Count counts.", "fact_ids": ["count-what"]}],
}  # fmt: skip


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


def add_message(warehouse: psycopg.Connection) -> str:
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
        audience |= {"trigger_event_day": "2026-11-19", "trigger_row_number": 42, "context": Jsonb({"country": "Germany"})}
        insert(warehouse, "marts", "audience", audience | {"consent_basis": "granted"})
        features = {"day": DAY, "person_id": person, "crm_id": f"crm-{person}", "industry": "retail", "persona": "founder"}
        features |= {"pain_point": "stock_errors", "lifecycle_stage": "lead", "events_7d": 3, "sessions_7d": 1}
        features |= {"recent_product_id": "LF-COUNT", "recent_product_name": "Larkfield Count", "recent_product_view_at": AT}
        insert(warehouse, "marts", "person_features", features)
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
