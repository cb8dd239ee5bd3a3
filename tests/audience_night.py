"""One night of lead_nurture in SQL, for tests: the audience, its consent and its arms."""

from typing import Any

import psycopg

from dags_under_test import statements_of
from nurture.consent.rules import Rules, load_rules
from nurture.warehouse.statements import statement
from warehouse_rows import DAY, add_contact, add_event, resolve

WEEK = "week-2026-W47"
NIGHT = {"campaign": "lead_nurture", "day": DAY}
TRIGGERS = {"trigger_events": ["form_submit", "view_item"], "debounce_hours": [24, 24], "lifecycle_stages": ["lead"]}


def leads(connection: psycopg.Connection, *crm_ids: str, **columns: Any) -> None:
    """Contacts who filled a form on `DAY`."""
    for crm_id in crm_ids:
        add_contact(connection, crm_id, **columns)
        add_event(connection, int(crm_id), "form_submit", user_id=f"u-{crm_id}")


def select(connection: psycopg.Connection, **changes: Any) -> list[Any]:
    """Run the night up to the consent step; returns (person's CRM id, slot, trigger, reason) by CRM id."""
    values = {**NIGHT, **TRIGGERS, **changes}
    resolve(connection)
    for name in (
        "marts/delete_features.sql",
        "marts/person_features.sql",
        "audience/delete.sql",
        "audience/lead_nurture.sql",
    ):
        connection.execute(statement(name), values)
    apply_consent(connection)
    return connection.execute(
        "SELECT crm_id, slot, trigger_event, suppressed_reason FROM marts.audience ORDER BY crm_id"
    ).fetchall()


def apply_consent(connection: psycopg.Connection, rules: Rules | None = None, run_id: str = "run-1") -> None:
    """Run the statements of the consent step, with the shipped rules or others."""
    for name in statements_of("lead_nurture", "apply_consent"):
        connection.execute(statement(name), {**NIGHT, "run_id": run_id, **(rules or load_rules()).parameters()})


def draw(connection: psycopg.Connection, **shares: float) -> dict[str, str | None]:
    """Draw the arms; returns arm by CRM id."""
    values = {**NIGHT, "experiment": "lead_nurture", "ai_share": 0.7, "static_share": 0.2, **shares}
    for name in ("audience/draw_arms.sql", "audience/set_arms.sql"):
        connection.execute(statement(name), values)
    return dict(connection.execute("SELECT crm_id, arm FROM marts.audience").fetchall())


def reasons(connection: psycopg.Connection) -> dict[str, str | None]:
    """Run the night up to the consent step; returns the reason of suppression by CRM id."""
    return {crm_id: reason for crm_id, _, _, reason in select(connection)}
