"""People from contacts and devices: stable ids, merges followed, nobody linked on a guess."""

from datetime import timedelta
from typing import Any

import psycopg
import pytest

from dags_under_test import statements_of
from nurture.warehouse.statements import statement
from warehouse_rows import DAY, add_contact, add_event, merge_contacts, person_of, resolve


def people(connection: psycopg.Connection) -> list[Any]:
    return connection.execute("SELECT person_id, crm_id, merged_into FROM marts.person ORDER BY person_id").fetchall()


def links(connection: psycopg.Connection) -> list[Any]:
    return connection.execute("SELECT kind, value, person_id FROM marts.person_identity ORDER BY 1, 2").fetchall()


def test_a_second_run_changes_nothing(warehouse: psycopg.Connection) -> None:
    add_contact(warehouse, "1")
    add_event(warehouse, 1, "page_view", user_id="u-1", user_pseudo_id="device-1")

    resolve(warehouse)
    first = [people(warehouse), links(warehouse), warehouse.execute("SELECT * FROM ops.consent_event").fetchall()]
    rows = warehouse.execute("SELECT ctid::text, * FROM marts.person_identity ORDER BY 1").fetchall()
    resolve(warehouse)
    second = [people(warehouse), links(warehouse), warehouse.execute("SELECT * FROM ops.consent_event").fetchall()]

    assert first == second
    assert rows == warehouse.execute("SELECT ctid::text, * FROM marts.person_identity ORDER BY 1").fetchall(), (
        "not one row rewritten"
    )
    assert person_of(warehouse, "user_pseudo_id", "device-1") == person_of(warehouse, "crm_id", "1")


def test_contacts_that_the_crm_merged_become_the_surviving_person(warehouse: psycopg.Connection) -> None:
    add_contact(warehouse, "1")
    add_contact(warehouse, "2", site_user_id="u-2")
    resolve(warehouse)
    survivor, loser = person_of(warehouse, "crm_id", "1"), person_of(warehouse, "crm_id", "2")

    merge_contacts(warehouse, "1", "2")
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


def test_in_a_chain_of_merges_everyone_points_to_the_last_survivor(warehouse: psycopg.Connection) -> None:
    for crm_id in ("1", "2", "3", "4"):
        add_contact(warehouse, crm_id)
    resolve(warehouse)
    person = {crm_id: person_of(warehouse, "crm_id", crm_id) for crm_id in ("1", "2", "3", "4")}

    for survivor, loser in (("2", "1"), ("3", "2"), ("4", "3")):
        merge_contacts(warehouse, survivor, loser)
        resolve(warehouse)

    members = warehouse.execute("SELECT member_id FROM marts.person_member WHERE person_id = %s", (person["4"],)).fetchall()
    assert {member for (member,) in members} == set(person.values())
    assert {person_of(warehouse, "user_id", f"u-{crm_id}") for crm_id in person} == {person["4"]}


def test_a_chain_of_merges_met_in_one_night_is_flat_too(warehouse: psycopg.Connection) -> None:
    for crm_id in ("1", "2", "3", "4"):
        add_contact(warehouse, crm_id)
    resolve(warehouse)
    last = person_of(warehouse, "crm_id", "4")

    for survivor, loser in (("2", "1"), ("3", "2"), ("4", "3")):
        merge_contacts(warehouse, survivor, loser)
    resolve(warehouse)

    assert {person_of(warehouse, "crm_id", crm_id) for crm_id in ("1", "2", "3", "4")} == {last}
    assert {merged_into for _, _, merged_into in people(warehouse)} == {None, last}


def test_an_identifier_that_moves_to_another_contact_moves_with_it(warehouse: psycopg.Connection) -> None:
    add_contact(warehouse, "1", email="moves@example.com", site_user_id="u-moves")
    add_contact(warehouse, "2")
    add_event(warehouse, 1, "login", user_id="u-moves", user_pseudo_id="device")
    resolve(warehouse)

    warehouse.execute("UPDATE staging.contacts SET email = NULL, site_user_id = NULL WHERE crm_id = '1'")
    warehouse.execute("UPDATE staging.contacts SET email = 'moves@example.com', site_user_id = 'u-moves' WHERE crm_id = '2'")
    resolve(warehouse)

    second = person_of(warehouse, "crm_id", "2")
    assert person_of(warehouse, "email", "moves@example.com") == second
    assert person_of(warehouse, "user_id", "u-moves") == second
    assert person_of(warehouse, "user_pseudo_id", "device") == second
    assert person_of(warehouse, "user_id", "u-2") is None, "nobody carries it any more"


def test_an_identifier_that_two_people_come_to_share_is_unlinked(warehouse: psycopg.Connection) -> None:
    add_contact(warehouse, "1", email="office@example.com", site_user_id="u-office")
    add_event(warehouse, 1, "login", user_id="u-office", user_pseudo_id="device")
    resolve(warehouse)
    assert person_of(warehouse, "user_pseudo_id", "device") is not None

    add_contact(warehouse, "2", email="office@example.com", site_user_id="u-office")
    resolve(warehouse)

    assert person_of(warehouse, "email", "office@example.com") is None
    assert person_of(warehouse, "user_id", "u-office") is None
    assert person_of(warehouse, "user_pseudo_id", "device") is None


def test_a_swallowed_identifier_goes_to_the_living_contact_that_carries_it_now(warehouse: psycopg.Connection) -> None:
    add_contact(warehouse, "1")
    add_contact(warehouse, "2")
    resolve(warehouse)
    merge_contacts(warehouse, "1", "2")

    add_contact(warehouse, "3", email="2@example.com", site_user_id="u-2")
    resolve(warehouse)

    third = person_of(warehouse, "crm_id", "3")
    assert person_of(warehouse, "email", "2@example.com") == person_of(warehouse, "user_id", "u-2") == third


@pytest.mark.parametrize("later_user", ["u-2", "u-nobody"])
def test_a_device_of_two_people_leads_to_nobody_whatever_the_order_of_nights(
    warehouse: psycopg.Connection, later_user: str
) -> None:
    add_contact(warehouse, "1")
    add_contact(warehouse, "2")
    earlier, later = DAY - timedelta(days=40), DAY
    add_event(warehouse, 1, "login", day=earlier, user_id="u-1", user_pseudo_id="shared")
    add_event(warehouse, 2, "page_view", day=earlier, user_pseudo_id="shared")
    resolve(warehouse, earlier)
    assert person_of(warehouse, "user_pseudo_id", "shared") == person_of(warehouse, "crm_id", "1")

    add_event(warehouse, 1, "login", day=later, user_id=later_user, user_pseudo_id="shared")
    resolve(warehouse, later)
    after_the_later_night = links(warehouse)
    resolve(warehouse, earlier)

    assert person_of(warehouse, "user_pseudo_id", "shared") is None
    assert links(warehouse) == after_the_later_night, "a backfill of the earlier night changes nothing"


def test_two_nights_at_once_decide_one_after_the_other(warehouse: psycopg.Connection, warehouse_url: str) -> None:
    add_contact(warehouse, "1")
    warehouse.commit()
    resolve(warehouse)

    with psycopg.connect(warehouse_url) as other:
        other.execute("SET lock_timeout = '100ms'")
        other.commit()
        with pytest.raises(psycopg.errors.LockNotAvailable):
            other.execute(statement(statements_of("customer_data", "resolve_identity")[0]))
        other.rollback()
        warehouse.commit()
        resolve(other)

    assert len(people(warehouse)) == 1
