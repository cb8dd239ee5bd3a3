"""What the CRM says of consent, night after night: no touch of a record outlives a denial given elsewhere."""

from datetime import date, datetime

import psycopg
import pytest

from warehouse_rows import DAY, add_consent_event, add_contact, at, person_of, resolve

JANUARY = at(date(2026, 1, 5))


def events(connection: psycopg.Connection) -> list[tuple[str, datetime]]:
    """Every kept statement as (status, happened_at), oldest first."""
    return connection.execute("SELECT status, happened_at FROM ops.consent_event ORDER BY happened_at").fetchall()


def touch(connection: psycopg.Connection, modified_at: datetime, columns: str = "company = 'New'") -> None:
    """Somebody saves the CRM record."""
    connection.execute(f"UPDATE staging.contacts SET {columns}, modified_at = %s".encode(), (modified_at,))
    resolve(connection)


def test_each_change_of_consent_is_kept_once(warehouse: psycopg.Connection) -> None:
    add_contact(warehouse, "1")
    resolve(warehouse)

    touch(warehouse, at(DAY), "is_opted_out = true")
    touch(warehouse, at(DAY, 13))

    assert events(warehouse) == [("granted", JANUARY), ("denied", at(DAY))]


def test_a_touch_of_the_record_leaves_a_denial_from_elsewhere_standing(warehouse: psycopg.Connection) -> None:
    add_contact(warehouse, "1")
    resolve(warehouse)
    add_consent_event(warehouse, person_of(warehouse, "crm_id", "1"), "denied", at(DAY, 10))

    touch(warehouse, at(DAY, 11))
    touch(warehouse, at(DAY, 12), "consent_status = 'unknown'")
    touch(warehouse, at(DAY, 13), "consent_status = 'granted'")

    assert events(warehouse) == [("granted", JANUARY), ("denied", at(DAY, 10))]


def test_a_grant_given_after_a_denial_is_kept_with_its_own_date(warehouse: psycopg.Connection) -> None:
    add_contact(warehouse, "1")
    resolve(warehouse)
    add_consent_event(warehouse, person_of(warehouse, "crm_id", "1"), "denied", at(DAY, 10))

    touch(warehouse, at(DAY, 12), "consent_at = '2026-11-20 11:00Z'")
    touch(warehouse, at(DAY, 13))

    assert events(warehouse) == [("granted", JANUARY), ("denied", at(DAY, 10)), ("granted", at(DAY, 11))]


@pytest.mark.parametrize("consent_at", ["NULL", "'2099-01-01Z'"])
def test_a_grant_without_a_date_or_from_the_future_outranks_no_denial(
    warehouse: psycopg.Connection, consent_at: str
) -> None:
    add_contact(warehouse, "1", consent_status="unknown", created_at=at(DAY, 11))
    resolve(warehouse)
    add_consent_event(warehouse, person_of(warehouse, "crm_id", "1"), "denied", at(DAY, 10))

    touch(warehouse, at(DAY, 12), f"consent_status = 'granted', consent_at = {consent_at}")

    assert events(warehouse) == [("denied", at(DAY, 10))]


def test_a_grant_without_a_date_is_as_old_as_the_contact(warehouse: psycopg.Connection) -> None:
    add_contact(warehouse, "1", consent_at=None, created_at=at(date(2026, 3, 1)))

    resolve(warehouse)

    assert events(warehouse) == [("granted", at(date(2026, 3, 1)))]
