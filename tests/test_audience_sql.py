"""Who gets a message: triggers, consent and arms are decided in SQL, and every refusal has a reason."""

from datetime import timedelta
from typing import Any

import psycopg
import pytest

from nurture.warehouse.statements import statement
from warehouse_rows import DAY, add_contact, add_event, at, person_of, resolve

NIGHT = {"campaign": "lead_nurture", "day": DAY}
TRIGGERS = {"trigger_events": ["form_submit", "view_item"], "debounce_hours": [24, 24], "lifecycle_stages": ["lead"]}


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
    connection.execute(statement("audience/apply_consent.sql"), {**NIGHT, "opt_out_regions": ["US"]})
    return connection.execute(
        "SELECT crm_id, slot, trigger_event, suppressed_reason FROM marts.audience ORDER BY crm_id"
    ).fetchall()


def reasons(connection: psycopg.Connection) -> dict[str, str | None]:
    return {crm_id: reason for crm_id, _, _, reason in select(connection)}


def test_a_lead_who_filled_a_form_qualifies_once_with_the_week_as_slot(warehouse: psycopg.Connection) -> None:
    add_contact(warehouse, "1")
    add_event(warehouse, 1, "form_submit", user_id="u-1")
    add_event(warehouse, 2, "form_submit", user_id="u-1", event_at=at(DAY, 13))
    add_contact(warehouse, "2")
    add_event(warehouse, 3, "page_view", user_id="u-2")

    assert select(warehouse) == [("1", "week-2026-W47", "form_submit", None)]
    row = warehouse.execute("SELECT trigger_row_number FROM marts.audience").fetchone()
    assert row == (1,), "a repeat within the debounce time is the same trigger, its first event"


def test_a_trigger_older_than_the_reread_window_is_not_answered(warehouse: psycopg.Connection) -> None:
    add_contact(warehouse, "1")
    add_event(warehouse, 1, "form_submit", day=DAY - timedelta(days=4), user_id="u-1")

    assert select(warehouse) == []


def test_an_anonymous_event_counts_for_the_person_known_on_the_device(warehouse: psycopg.Connection) -> None:
    add_contact(warehouse, "1")
    add_event(warehouse, 1, "login", user_id="u-1", user_pseudo_id="device")
    add_event(warehouse, 2, "view_item", user_pseudo_id="device", product_id="LF-SCAN", product_name="Larkfield Scan")

    assert [row[:3] for row in select(warehouse)] == [("1", "week-2026-W47", "view_item")]
    assert warehouse.execute("SELECT context ->> 'recent_product' FROM marts.audience").fetchone() == ("LF-SCAN",)


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({}, None),
        ({"email": None}, "no_address"),
        ({"is_opted_out": True}, "opted_out"),
        ({"consent_status": "denied"}, "consent_denied"),
        ({"consent_status": "unknown"}, "no_opt_in"),
        ({"consent_status": None}, "no_opt_in"),
        ({"consent_status": "unknown", "region": None}, "no_opt_in"),
        ({"consent_status": "unknown", "region": "US"}, None),
        ({"consent_status": "unknown", "region": "US-CA"}, None),
        ({"consent_status": "denied", "region": "US"}, "consent_denied"),
    ],
)
def test_consent_fails_closed_and_names_its_reason(
    warehouse: psycopg.Connection, columns: dict[str, Any], reason: str | None
) -> None:
    add_contact(warehouse, "1", **columns)
    add_event(warehouse, 1, "form_submit", user_id="u-1")

    assert reasons(warehouse) == {"1": reason}
    basis = warehouse.execute("SELECT consent_basis IS NOT NULL FROM marts.audience").fetchone()
    assert basis == (reason is None,), "whoever may be written to has a basis, nobody else has"


def test_two_contacts_with_one_address_get_one_message(warehouse: psycopg.Connection) -> None:
    add_contact(warehouse, "1", email="same@example.com", modified_at=at(DAY))
    add_contact(warehouse, "2", email="same@example.com")
    add_event(warehouse, 1, "form_submit", user_id="u-1")
    add_event(warehouse, 2, "form_submit", user_id="u-2")

    assert reasons(warehouse) == {"1": None, "2": "duplicate_address"}


def test_a_confirmed_slot_is_not_answered_again(warehouse: psycopg.Connection) -> None:
    add_contact(warehouse, "1")
    add_event(warehouse, 1, "form_submit", user_id="u-1")
    select(warehouse)
    warehouse.execute(
        """
        INSERT INTO ops.copy (copy_id, request_hash, campaign, template_id, template_version, origin, parameters, context,
                              fact_ids, output, verdict)
        VALUES ('c', 'r', 'lead_nurture', 't', 1, 'static', '{}', '{}', '[]', '{}', 'clear')
        """
    )
    warehouse.execute(
        """
        INSERT INTO ops.push_ledger (campaign, person_id, slot, state, reason, crm_id, message_id, copy_id, day,
                                     claim_token, run_id)
        SELECT campaign, person_id, slot, 'confirmed', 'seen in the CRM', crm_id, 'm', 'c', day, gen_random_uuid(), 'r'
        FROM marts.audience
        """
    )

    assert reasons(warehouse) == {"1": "already_sent_this_slot"}


def test_a_drawn_arm_stays_and_the_shares_come_out(warehouse: psycopg.Connection) -> None:
    for number in range(400):
        add_contact(warehouse, str(number))
        add_event(warehouse, number, "form_submit", user_id=f"u-{number}")
    select(warehouse)
    values = {**NIGHT, "experiment": "lead_nurture", "ai_share": 0.7, "static_share": 0.2}

    for name in ("audience/draw_arms.sql", "audience/set_arms.sql"):
        warehouse.execute(statement(name), values)
    first = dict(warehouse.execute("SELECT arm, count(*) FROM marts.audience GROUP BY 1").fetchall())
    for name in ("audience/draw_arms.sql", "audience/set_arms.sql"):
        warehouse.execute(statement(name), {**values, "ai_share": 0.0, "static_share": 0.0})
    second = dict(warehouse.execute("SELECT arm, count(*) FROM marts.audience GROUP BY 1").fetchall())

    assert first == second
    assert 240 <= first["ai"] <= 320 and 50 <= first["static"] <= 115 and 15 <= first["none"] <= 70


def test_a_night_run_again_gives_the_same_audience(warehouse: psycopg.Connection) -> None:
    add_contact(warehouse, "1")
    add_event(warehouse, 1, "form_submit", user_id="u-1")

    assert select(warehouse) == select(warehouse)
    assert person_of(warehouse, "crm_id", "1") is not None
