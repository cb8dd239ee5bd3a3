"""People from contacts and devices: stable ids, merges followed, nobody linked on a guess."""

from typing import Any

import psycopg

from warehouse_rows import DAY, add_contact, add_event, at, person_of, resolve


def people(connection: psycopg.Connection) -> list[Any]:
    return connection.execute("SELECT person_id, crm_id, merged_into FROM marts.person ORDER BY person_id").fetchall()


def test_a_second_run_changes_nothing(warehouse: psycopg.Connection) -> None:
    add_contact(warehouse, "1")
    add_event(warehouse, 1, "page_view", user_id="u-1", user_pseudo_id="device-1")

    resolve(warehouse)
    first = [people(warehouse), warehouse.execute("SELECT * FROM marts.person_identity ORDER BY 1, 2").fetchall(),
             warehouse.execute("SELECT person_id, status FROM ops.consent_event").fetchall()]  # fmt: skip
    resolve(warehouse)
    second = [people(warehouse), warehouse.execute("SELECT * FROM marts.person_identity ORDER BY 1, 2").fetchall(),
              warehouse.execute("SELECT person_id, status FROM ops.consent_event").fetchall()]  # fmt: skip

    assert first == second
    assert person_of(warehouse, "user_pseudo_id", "device-1") == person_of(warehouse, "crm_id", "1")


def test_contacts_that_the_crm_merged_become_the_surviving_person(warehouse: psycopg.Connection) -> None:
    add_contact(warehouse, "1")
    add_contact(warehouse, "2", site_user_id="u-2")
    resolve(warehouse)
    survivor, loser = person_of(warehouse, "crm_id", "1"), person_of(warehouse, "crm_id", "2")

    warehouse.execute("DELETE FROM staging.contacts WHERE crm_id = '2'")
    warehouse.execute("UPDATE raw_hubspot.contacts SET merged_ids = '{2}' WHERE crm_id = '1'")
    resolve(warehouse)

    assert (loser, None, survivor) in people(warehouse)
    assert person_of(warehouse, "crm_id", "2") == survivor
    assert person_of(warehouse, "user_id", "u-2") == survivor


def test_a_merge_that_makes_a_new_id_keeps_the_person(warehouse: psycopg.Connection) -> None:
    add_contact(warehouse, "1")
    resolve(warehouse)
    before = person_of(warehouse, "crm_id", "1")

    warehouse.execute("DELETE FROM staging.contacts")
    add_contact(warehouse, "9", merged_ids=("1",), email="1@example.com", site_user_id="u-1")
    resolve(warehouse)

    assert person_of(warehouse, "crm_id", "9") == before
    assert people(warehouse) == [(before, "9", None)]


def test_an_address_or_device_of_two_people_leads_to_nobody(warehouse: psycopg.Connection) -> None:
    add_contact(warehouse, "1", email="office@example.com")
    add_contact(warehouse, "2", email="office@example.com")
    add_event(warehouse, 1, "login", user_id="u-1", user_pseudo_id="shared")
    add_event(warehouse, 2, "login", user_id="u-2", user_pseudo_id="shared")

    resolve(warehouse)

    assert person_of(warehouse, "email", "office@example.com") is None
    assert person_of(warehouse, "user_pseudo_id", "shared") is None


def test_each_change_of_consent_is_kept_once(warehouse: psycopg.Connection) -> None:
    add_contact(warehouse, "1")
    resolve(warehouse)

    warehouse.execute("UPDATE staging.contacts SET is_opted_out = true, modified_at = %s", (at(DAY),))
    resolve(warehouse)
    resolve(warehouse)

    kept = warehouse.execute("SELECT status FROM ops.consent_event ORDER BY consent_event_id").fetchall()
    assert kept == [("granted",), ("denied",)]
