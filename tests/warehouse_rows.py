"""Small builders of staging rows for tests that need a few people and what they did."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from dags_under_test import statements_of
from nurture.warehouse.statements import statement

DAY = date(2026, 11, 20)


def at(day: date, hour: int = 12, minute: int = 0) -> datetime:
    """A time on `day`, UTC."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)


def add_contact(connection: psycopg.Connection, crm_id: str, *, merged_ids: tuple[str, ...] = (), **columns: Any) -> None:
    """One living contact in raw and staging: consents, is a lead, lives in Germany unless said otherwise."""
    values = {
        "email": f"{crm_id}@example.com", "site_user_id": f"u-{crm_id}", "lifecycle_stage": "lead", "region": "DE",
        "consent_status": "granted", "consent_at": at(date(2026, 1, 5)), "is_opted_out": False, "persona": "founder",
        "industry": "retail", "pain_point": "stock_errors", "modified_at": at(date(2026, 11, 1)),
    } | columns  # fmt: skip
    connection.execute(
        "INSERT INTO raw_hubspot.contacts (crm_id, merged_ids, modified_at, properties) VALUES (%s, %s, %s, %s)",
        (crm_id, list(merged_ids), values["modified_at"], Jsonb({})),
    )
    insert(connection, "staging", "contacts", {"crm_id": crm_id, **values})


def add_event(connection: psycopg.Connection, number: int, event_name: str, *, day: date = DAY, **columns: Any) -> None:
    """One event of `day` in staging."""
    values = {"event_day": day, "row_number": number, "event_at": at(day), "event_name": event_name} | columns
    insert(connection, "staging", "events", values)


def insert(connection: psycopg.Connection, schema: str, table: str, values: dict[str, Any]) -> None:
    """One row."""
    names = psycopg.sql.SQL(", ").join(map(psycopg.sql.Identifier, values))
    marks = psycopg.sql.SQL(", ").join(map(psycopg.sql.Placeholder, values))
    statement = psycopg.sql.SQL("INSERT INTO {} ({}) VALUES ({})")
    connection.execute(statement.format(psycopg.sql.Identifier(schema, table), names, marks), values)


def resolve(connection: psycopg.Connection) -> None:
    """Run the statements of the step `resolve_identity`, as the DAG names them."""
    for name in statements_of("customer_data", "resolve_identity"):
        connection.execute(statement(name), {"day": DAY, "first_day": DAY - timedelta(days=13)})


def person_of(connection: psycopg.Connection, kind: str, value: str) -> str | None:
    """The person to whom an identifier leads."""
    row = connection.execute(
        "SELECT person_id FROM marts.person_identity WHERE kind = %s AND value = %s", (kind, value)
    ).fetchone()
    return row[0] if row else None
