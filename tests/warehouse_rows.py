"""Small builders of staging rows for tests that need a few people and what they did."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
from psycopg.types.json import Jsonb

from dags_under_test import statements_of
from nurture.warehouse.statements import statement

DAY = date(2026, 11, 20)


def at(day: date, hour: int = 12, minute: int = 0) -> datetime:
    """A time on `day`, UTC."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)


def add_contact(connection: psycopg.Connection, crm_id: str, *, merged_ids: tuple[str, ...] = (), **columns: Any) -> None:
    """One living contact in raw and staging: consents, is a lead, lives in Germany unless said otherwise.

    Columns are those of `staging.contacts`, and `created_at` of the raw row.
    """
    values = {
        "email": f"{crm_id}@example.com", "site_user_id": f"u-{crm_id}", "lifecycle_stage": "lead", "region": "DE",
        "consent_status": "granted", "consent_at": at(date(2026, 1, 5)), "is_opted_out": False, "persona": "founder",
        "industry": "retail", "pain_point": "stock_errors", "modified_at": at(date(2026, 11, 1)),
    } | columns  # fmt: skip
    raw = {
        "created_at": values.pop("created_at", at(date(2026, 1, 1))),
        "merged_ids": list(merged_ids),
        "properties": Jsonb({}),
    }
    raw |= {name: values[name] for name in ("email", "site_user_id", "modified_at")}
    insert(connection, "raw_hubspot", "contacts", {"crm_id": crm_id, **raw})
    insert(connection, "staging", "contacts", {"crm_id": crm_id, **values})


def add_event(connection: psycopg.Connection, number: int, event_name: str, *, day: date = DAY, **columns: Any) -> None:
    """One event of `day` in staging."""
    values = {"event_day": day, "row_number": number, "event_at": at(day), "event_name": event_name} | columns
    insert(connection, "staging", "events", values)


def merge_contacts(connection: psycopg.Connection, survivor: str, loser: str) -> None:
    """What the load leaves behind when the CRM has merged two contacts."""
    connection.execute("DELETE FROM staging.contacts WHERE crm_id = %s", (loser,))
    connection.execute("UPDATE raw_hubspot.contacts SET merged_into = %s WHERE crm_id = %s", (survivor, loser))
    connection.execute(
        "UPDATE raw_hubspot.contacts SET merged_ids = array_append(merged_ids, %s) WHERE crm_id = %s", (loser, survivor)
    )


def add_consent_event(connection: psycopg.Connection, person_id: str | None, status: str, happened_at: datetime) -> None:
    """What a person said on the unsubscribe page."""
    values = {"person_id": person_id, "status": status, "happened_at": happened_at, "source": "unsubscribe page"}
    insert(connection, "ops", "consent_event", values)


def add_ledger_row(
    connection: psycopg.Connection, crm_id: str, person_id: str | None, slot: str, state: str = "confirmed"
) -> None:
    """One slot of one person in the ledger of lead_nurture."""
    connection.execute(
        """
        INSERT INTO ops.copy (copy_id, request_hash, campaign, template_id, template_version, origin, parameters, context,
                              fact_ids, output, verdict)
        VALUES ('c', 'r', 'lead_nurture', 't', 1, 'static', '{}', '{}', '[]', '{}', 'clear') ON CONFLICT DO NOTHING
        """
    )
    values = {
        "campaign": "lead_nurture", "person_id": person_id, "slot": slot, "state": state, "reason": "a test's",
        "crm_id": crm_id, "message_id": "m", "copy_id": "c", "day": DAY, "claim_token": uuid4(), "run_id": "r",
    }  # fmt: skip
    insert(connection, "ops", "push_ledger", values)


def insert(connection: psycopg.Connection, schema: str, table: str, values: dict[str, Any]) -> None:
    """One row."""
    names = psycopg.sql.SQL(", ").join(map(psycopg.sql.Identifier, values))
    marks = psycopg.sql.SQL(", ").join(map(psycopg.sql.Placeholder, values))
    statement = psycopg.sql.SQL("INSERT INTO {} ({}) VALUES ({})")
    connection.execute(statement.format(psycopg.sql.Identifier(schema, table), names, marks), values)


def resolve(connection: psycopg.Connection, day: date = DAY) -> None:
    """Run the statements of the step `resolve_identity`, as the DAG names them."""
    for name in statements_of("customer_data", "resolve_identity"):
        connection.execute(statement(name), {"day": day, "first_day": day - timedelta(days=29)})


def person_of(connection: psycopg.Connection, kind: str, value: str) -> str | None:
    """The person to whom an identifier leads."""
    row = connection.execute(
        "SELECT person_id FROM marts.person_identity WHERE kind = %s AND value = %s", (kind, value)
    ).fetchone()
    return row[0] if row else None
