"""Tables of one night for the tests of the gates: good ones, which a test then spoils."""

from datetime import date, timedelta
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from nurture.policy import load_policy
from nurture.quality.gate import run_gate
from nurture.quality.verdict import CheckResult, Verdict

DAY = date(2026, 11, 21)
RUN = {"dag_id": "customer_data", "run_id": "scheduled__2026-11-21T02:00:00+00:00", "gate": "gate_under_test"}


def judge(connection: psycopg.Connection, *tables: str, campaign: str | None = None) -> Verdict:
    """Run the gate on `tables`; what the test wrote is committed, as Great Expectations reads over its own connection."""
    connection.commit()
    return run_gate(connection, tables=tables, day=DAY, campaign=campaign, policy=load_policy(), **RUN)


def check(connection: psycopg.Connection, table: str, name: str, *, campaign: str | None = None) -> CheckResult:
    """What the gate on `table` says of one check."""
    verdict = judge(connection, table, campaign=campaign)
    return next(result for result in verdict.results if result.check_name == name)


def add_events(
    connection: psycopg.Connection,
    name: str,
    count: int,
    *,
    days_ago: int = 0,
    user_id: str | None = None,
    visitor: str | None = None,
) -> None:
    """`count` events of one visitor on one day, in staging."""
    connection.execute(
        """
        INSERT INTO staging.events (event_day, row_number, event_at, event_name, user_id, user_pseudo_id)
        SELECT %(day)s, coalesce((SELECT max(row_number) FROM staging.events WHERE event_day = %(day)s), 0) + number,
               %(day)s + interval '12 hours', %(name)s, %(user_id)s, %(visitor)s
        FROM generate_series(1, %(count)s) AS number
        """,
        {"day": DAY - timedelta(days=days_ago), "name": name, "count": count, "user_id": user_id, "visitor": visitor},
    )


def add_raw_events(
    connection: psycopg.Connection, count: int, *, event_at: str = "12 hours", visitor: str | None = "v"
) -> None:
    """`count` events of the last day as the export delivered them; `event_at` is counted from its midnight, UTC."""
    connection.execute(
        """
        INSERT INTO raw_ga4.events (event_day, row_number, event_at, event_name, user_pseudo_id, geo, event_params,
                                    user_properties, items, rest)
        SELECT %(day)s, coalesce((SELECT max(row_number) FROM raw_ga4.events), 0) + number,
               (%(day)s::date + %(event_at)s::interval) AT TIME ZONE 'UTC', 'page_view', %(visitor)s, '{}', '[]',
               '[]', '[]', '{}'
        FROM generate_series(1, %(count)s) AS number
        """,
        {"day": DAY, "count": count, "event_at": event_at, "visitor": visitor},
    )


def add_contacts(connection: psycopg.Connection, count: int, *, email: str | None = "c{}@example.com") -> None:
    """`count` living contacts in raw and staging; `{}` in `email` becomes the contact's number."""
    connection.execute(
        """
        WITH next AS (SELECT count(*) AS taken FROM staging.contacts),
        contact AS (
            SELECT number::text AS crm_id, replace(%(email)s, '{}', number::text) AS email
            FROM next, generate_series(taken + 1, taken + %(count)s) AS number
        ),
        raw AS (
            INSERT INTO raw_hubspot.contacts (crm_id, email, country, consent_status, modified_at, properties)
            SELECT crm_id, email, 'DE', 'granted', timestamptz '2026-11-01 00:00Z', '{}' FROM contact
        )
        INSERT INTO staging.contacts (crm_id, email, region, consent_status, is_opted_out, modified_at)
        SELECT crm_id, email, 'DE', 'granted', false, timestamptz '2026-11-01 00:00Z' FROM contact
        """,
        {"count": count, "email": email},
    )


def add_person(connection: psycopg.Connection, number: int, *, arm: str | None = "ai", **columns: Any) -> None:
    """One person of tonight's audience of `lead_nurture`, allowed and with an arm unless said otherwise."""
    values = {
        "campaign": "lead_nurture", "day": DAY, "person_id": f"p_{number}", "slot": "week-2026-W47", "crm_id": str(number),
        "trigger_event": "form_submit", "trigger_at": f"{DAY}T12:00:00Z", "trigger_event_day": DAY,
        "trigger_row_number": number, "context": Jsonb({}), "suppressed_reason": None, "consent_basis": "granted",
        "arm": arm,
    } | columns  # fmt: skip
    _insert(connection, "marts", "audience", values)


def add_copy(
    connection: psycopg.Connection, copy_id: str, *, origin: str = "model", verdict: str = "clear", **output: Any
) -> None:
    """One piece of copy; keywords replace parts of its output."""
    words = {"headline": "Fewer stock errors", "body": "Hello {first_name}, see how.", "cta": "Read more"} | output
    values = {
        "copy_id": copy_id, "request_hash": f"request of {copy_id}", "campaign": "lead_nurture",
        "template_id": "lead_nurture", "template_version": 1, "origin": origin, "parameters": Jsonb({}),
        "context": Jsonb({}), "fact_ids": Jsonb([]),
        "output": Jsonb(words), "verdict": verdict,
    }  # fmt: skip
    _insert(connection, "ops", "copy", values)


def add_message(
    connection: psycopg.Connection, number: int, copy_id: str, *, fallback: str = "static", lane: str = "ready"
) -> None:
    """The message that one person of the audience gets tonight."""
    values = {
        "campaign": "lead_nurture", "day": DAY, "person_id": f"p_{number}", "slot": "week-2026-W47",
        "message_id": f"m_{number}", "copy_id": copy_id, "fallback_copy_id": fallback, "lane": lane,
    }  # fmt: skip
    _insert(connection, "ops", "message", values)


def _insert(connection: psycopg.Connection, schema: str, table: str, values: dict[str, Any]) -> None:
    names = psycopg.sql.SQL(", ").join(map(psycopg.sql.Identifier, values))
    marks = psycopg.sql.SQL(", ").join(map(psycopg.sql.Placeholder, values))
    insert = psycopg.sql.SQL("INSERT INTO {} ({}) VALUES ({})")
    connection.execute(insert.format(psycopg.sql.Identifier(schema, table), names, marks), values)
