"""Who may be written to: what merged people and contacts with the same address refused or received counts too."""

from datetime import date, datetime
from typing import Any

import psycopg
import pytest

from audience_night import NIGHT, WEEK, apply_consent, leads, reasons, select
from nurture.consent.rules import load_rules
from nurture.warehouse.statements import statement
from warehouse_rows import (
    DAY,
    add_consent_event,
    add_contact,
    add_event,
    add_ledger_row,
    at,
    merge_contacts,
    person_of,
    resolve,
)


def ledger_rows_read(plan: dict[str, Any]) -> float:
    """Rows of the ledger that a plan and those below it looked at."""
    looks = plan.get("Actual Loops", 1) if plan.get("Relation Name") == "push_ledger" else 0
    own = looks * (plan.get("Actual Rows", 0) + plan.get("Rows Removed by Filter", 0))
    return own + sum(map(ledger_rows_read, plan.get("Plans", [])))


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
        ({"consent_status": "unknown", "region": "US-ZZ"}, None),
        ({"consent_status": "unknown", "region": "CA"}, "no_opt_in"),
        ({"consent_status": "unknown", "region": "IN"}, "no_opt_in"),
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
    add_ledger_row(warehouse, "1", person_of(warehouse, "crm_id", "1"), WEEK)

    assert reasons(warehouse) == {"1": "already_sent_this_slot"}


def test_a_message_to_a_merged_person_counts_for_the_survivor(warehouse: psycopg.Connection) -> None:
    leads(warehouse, "1", "2", "3")
    resolve(warehouse)
    add_ledger_row(warehouse, "2", person_of(warehouse, "crm_id", "2"), WEEK)
    add_ledger_row(warehouse, "3", person_of(warehouse, "crm_id", "3"), "week-2026-W46")

    merge_contacts(warehouse, "1", "2")
    assert reasons(warehouse) == {"1": "already_sent_this_slot", "3": None}


@pytest.mark.parametrize(
    ("denied_at", "granted_at", "reason"),
    [
        (at(DAY, 9), None, "consent_denied"),
        (at(DAY, 9), at(DAY, 9), "consent_denied"),
        (at(DAY, 9), at(DAY, 10), None),
        (at(date(2026, 1, 4)), None, None),
    ],
)
def test_a_denial_of_a_merged_person_holds_until_the_survivor_grants(
    warehouse: psycopg.Connection, denied_at: datetime, granted_at: datetime | None, reason: str | None
) -> None:
    leads(warehouse, "1", "2")
    resolve(warehouse)
    add_consent_event(warehouse, person_of(warehouse, "crm_id", "2"), "denied", denied_at)
    merge_contacts(warehouse, "1", "2")

    if granted_at:
        warehouse.execute("UPDATE staging.contacts SET consent_at = %s, modified_at = %s", (granted_at, granted_at))

    assert reasons(warehouse) == {"1": reason}


def test_a_statement_of_nothing_lifts_no_denial(warehouse: psycopg.Connection) -> None:
    leads(warehouse, "1", region="US", consent_status="unknown")
    resolve(warehouse)
    person = person_of(warehouse, "crm_id", "1")

    add_consent_event(warehouse, person, "denied", at(DAY, 9))
    add_consent_event(warehouse, person, "unknown", at(DAY, 10))

    assert reasons(warehouse) == {"1": "consent_denied"}


@pytest.mark.parametrize("columns", [{"is_opted_out": True}, {"consent_status": "denied"}])
def test_an_opt_out_holds_for_every_contact_with_the_address(warehouse: psycopg.Connection, columns: dict[str, Any]) -> None:
    leads(warehouse, "1", "2", email="same@example.com")
    leads(warehouse, "3")
    add_contact(warehouse, "9", email="same@example.com", **columns)

    assert reasons(warehouse) == {"1": "opted_out_elsewhere", "2": "opted_out_elsewhere", "3": None}


def test_an_unsubscription_of_another_person_with_the_address_holds(warehouse: psycopg.Connection) -> None:
    leads(warehouse, "1", email="same@example.com")
    add_contact(warehouse, "9", email="same@example.com")
    resolve(warehouse)

    add_consent_event(warehouse, person_of(warehouse, "crm_id", "9"), "denied", at(DAY, 9))

    assert reasons(warehouse) == {"1": "opted_out_elsewhere"}


@pytest.mark.parametrize("state", ["confirmed", "unknown", "rejected"])
def test_an_address_that_has_its_message_gets_no_second_through_another_contact(
    warehouse: psycopg.Connection, state: str
) -> None:
    leads(warehouse, "1", email="same@example.com")
    add_contact(warehouse, "9", email="same@example.com")
    resolve(warehouse)

    add_ledger_row(warehouse, "9", person_of(warehouse, "crm_id", "9"), WEEK, state)
    warehouse.execute("DELETE FROM staging.contacts WHERE crm_id = '9'")

    assert reasons(warehouse) == {"1": None if state == "rejected" else "already_sent_this_slot"}


def test_an_open_slot_of_the_person_is_left_to_the_ledger(warehouse: psycopg.Connection) -> None:
    leads(warehouse, "1")
    resolve(warehouse)

    add_ledger_row(warehouse, "1", person_of(warehouse, "crm_id", "1"), WEEK, "unknown")

    assert reasons(warehouse) == {"1": None}


def test_somebody_merged_away_since_the_selection_is_not_written_to(warehouse: psycopg.Connection) -> None:
    leads(warehouse, "1", "2")
    select(warehouse)
    warehouse.execute(
        "UPDATE marts.person SET crm_id = NULL, merged_into = %s WHERE crm_id = '2'", (person_of(warehouse, "crm_id", "1"),)
    )

    apply_consent(warehouse)

    row = warehouse.execute("SELECT suppressed_reason FROM marts.audience WHERE crm_id = '2'").fetchone()
    assert row == ("not_in_crm",)


@pytest.mark.parametrize("days", [-9, 9])
def test_a_message_of_the_slot_counts_whichever_night_wrote_it(warehouse: psycopg.Connection, days: int) -> None:
    leads(warehouse, "1")
    resolve(warehouse)
    add_ledger_row(warehouse, "1", person_of(warehouse, "crm_id", "1"), WEEK, "confirmed")
    warehouse.execute("UPDATE ops.push_ledger SET day = %s::date + %s", (DAY, days))

    assert reasons(warehouse) == {"1": "already_sent_this_slot"}


def test_the_ledger_of_years_is_not_read_for_one_night(warehouse: psycopg.Connection) -> None:
    leads(warehouse, "1")
    select(warehouse)
    add_ledger_row(warehouse, "1", person_of(warehouse, "crm_id", "1"), WEEK, "confirmed")
    warehouse.execute(
        """
        INSERT INTO ops.push_ledger (campaign, person_id, slot, day, state, reason, crm_id, message_id, copy_id, claim_token,
                                     run_id)
        SELECT campaign, 'p' || n, slot, day - 40 - n % 700, state, reason, crm_id, message_id, copy_id, claim_token, run_id
        FROM ops.push_ledger, generate_series(1, 5000) AS n
        """
    )
    warehouse.execute("ANALYZE ops.push_ledger")

    query = b"EXPLAIN (ANALYZE, FORMAT JSON) " + statement("audience/apply_consent.sql")
    row = warehouse.execute(query, NIGHT | load_rules().parameters()).fetchone()

    assert row is not None
    assert 0 < ledger_rows_read(row[0][0]["Plan"]) < 10
