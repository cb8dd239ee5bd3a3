"""A night looks at those who changed, and at everyone whom their change concerns; nothing that changed is missed."""

from datetime import date, timedelta

import psycopg
import pytest
from airflow.providers.postgres.hooks.postgres import PostgresHook

from dags_under_test import statements_of
from nurture.identity.resolve import RESOLVE_PEOPLE, resolve_people
from nurture.warehouse.statements import statement
from warehouse_rows import DAY, add_contact, add_event, insert, merge_contacts, person_of

pytestmark = pytest.mark.slow  # whole worlds in the warehouse

LONG_AGO = DAY - timedelta(days=90)


def night(connection: psycopg.Connection, day: date = DAY) -> None:
    """A night as the DAG asks for it: four days read again."""
    resolve_people(connection, first_day=day - timedelta(days=3), day=day)


def looked_at(connection: psycopg.Connection, kind: str) -> set[str]:
    return {value for (value,) in connection.execute("SELECT value FROM pg_temp.touched WHERE kind = %s", (kind,))}


def test_a_night_looks_only_at_people_whose_contact_changed(warehouse: psycopg.Connection) -> None:
    for crm_id in map(str, range(1, 21)):
        add_contact(warehouse, crm_id)
    night(warehouse)
    warehouse.commit()

    warehouse.execute("UPDATE staging.contacts SET email = 'new@example.com' WHERE crm_id = '7'")
    night(warehouse)

    assert looked_at(warehouse, "person_id") == {person_of(warehouse, "crm_id", "7")}
    assert looked_at(warehouse, "email") == {"7@example.com", "new@example.com"}


def test_an_address_that_is_shared_no_more_leads_to_who_is_left(warehouse: psycopg.Connection) -> None:
    for crm_id in ("1", "2", "3"):
        add_contact(warehouse, crm_id, email="office@example.com", site_user_id="u-office")
    night(warehouse)
    shared = person_of(warehouse, "email", "office@example.com"), person_of(warehouse, "user_id", "u-office")

    warehouse.execute("UPDATE staging.contacts SET email = 'own@example.com', site_user_id = NULL WHERE crm_id = '2'")
    night(warehouse)
    two_left = person_of(warehouse, "email", "office@example.com")
    warehouse.execute("DELETE FROM staging.contacts WHERE crm_id = '3'")
    night(warehouse)

    assert (shared, two_left) == ((None, None), None)
    assert person_of(warehouse, "email", "office@example.com") == person_of(warehouse, "crm_id", "1")
    assert person_of(warehouse, "user_id", "u-office") == person_of(warehouse, "crm_id", "1")


def test_a_device_of_long_ago_follows_its_user_id_and_is_let_go_when_that_is_shared(warehouse: psycopg.Connection) -> None:
    add_contact(warehouse, "1", site_user_id="u-moves")
    add_contact(warehouse, "2")
    add_event(warehouse, 1, "login", day=LONG_AGO, user_id="u-moves", user_pseudo_id="old phone")
    night(warehouse, LONG_AGO)
    owners = [person_of(warehouse, "user_pseudo_id", "old phone")]

    for crm_id, user_id in (("1", None), ("2", "u-moves"), ("1", "u-moves")):
        warehouse.execute("UPDATE staging.contacts SET site_user_id = %s WHERE crm_id = %s", (user_id, crm_id))
        night(warehouse)
        owners.append(person_of(warehouse, "user_pseudo_id", "old phone"))

    assert owners == [person_of(warehouse, "crm_id", "1"), None, person_of(warehouse, "crm_id", "2"), None]


def test_a_device_of_two_people_is_linked_when_the_crm_finds_that_they_are_one(warehouse: psycopg.Connection) -> None:
    for crm_id in ("1", "2"):
        add_contact(warehouse, crm_id)
        add_event(warehouse, int(crm_id), "login", day=LONG_AGO, user_id=f"u-{crm_id}", user_pseudo_id="tablet")
    night(warehouse, LONG_AGO)
    before = person_of(warehouse, "user_pseudo_id", "tablet")

    merge_contacts(warehouse, "1", "2")
    night(warehouse)

    assert before is None
    assert person_of(warehouse, "user_pseudo_id", "tablet") == person_of(warehouse, "crm_id", "1")


def test_a_day_that_was_loaded_late_or_again_is_linked_whichever_night_comes_next(warehouse: psycopg.Connection) -> None:
    def load(run_id: str) -> None:
        source = f"ga4.events_{LONG_AGO:%Y%m%d}"
        values = {"dag_id": "customer_data", "run_id": run_id, "source": source, "day": LONG_AGO, "loaded_rows": 1}
        insert(warehouse, "ops", "load_log", values)

    add_contact(warehouse, "1")
    add_contact(warehouse, "2")
    add_event(warehouse, 1, "login", day=LONG_AGO, user_id="u-1", user_pseudo_id="phone")
    load("first")
    night(warehouse)
    first = person_of(warehouse, "user_pseudo_id", "phone")
    add_event(warehouse, 2, "login", day=LONG_AGO, user_id="u-2", user_pseudo_id="phone")

    load("again")
    night(warehouse)

    assert first == person_of(warehouse, "crm_id", "1")
    assert person_of(warehouse, "user_pseudo_id", "phone") is None


def test_a_change_that_is_committed_while_a_night_is_at_work_is_the_next_nights(
    warehouse: psycopg.Connection, warehouse_url: str
) -> None:
    add_contact(warehouse, "1")
    night(warehouse)
    warehouse.execute("UPDATE staging.contacts SET persona = 'engineer'")
    warehouse.commit()
    taken = RESOLVE_PEOPLE.index("marts/take_changes.sql") + 1
    days = {"first_day": DAY, "day": DAY}

    for name in RESOLVE_PEOPLE[:taken]:
        warehouse.execute(statement(name), days)
    with psycopg.connect(warehouse_url) as load:
        load.execute("UPDATE staging.contacts SET email = NULL, modified_at = now() WHERE crm_id = '1'")
        load.execute("DELETE FROM staging.contacts WHERE crm_id = '1'")
        load.commit()
        for name in RESOLVE_PEOPLE[taken:]:
            warehouse.execute(statement(name), days)
        warehouse.commit()
        night(load)

        assert looked_at(load, "crm_id") == {"1"}
        assert person_of(load, "email", "1@example.com") is None


def test_a_night_that_fails_leaves_its_changes_to_the_next(warehouse: psycopg.Connection) -> None:
    add_contact(warehouse, "1")
    warehouse.commit()

    night(warehouse)
    warehouse.rollback()
    night(warehouse)

    assert person_of(warehouse, "crm_id", "1") is not None


def test_two_living_contacts_never_share_a_person_whatever_the_crm_lists(warehouse: psycopg.Connection) -> None:
    add_contact(warehouse, "1", merged_ids=("2",))
    add_contact(warehouse, "2", merged_ids=("1",))

    night(warehouse)

    owners = warehouse.execute("SELECT crm_id, merged_into FROM marts.person ORDER BY crm_id").fetchall()
    assert owners == [("1", None), ("2", None)], "lists in a circle are no evidence"


def test_the_step_of_the_dag_does_all_of_it_in_one_transaction(
    warehouse: psycopg.Connection, warehouse_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", warehouse_url)
    add_contact(warehouse, "1")
    warehouse.commit()
    texts = [statement(name).decode() for name in statements_of("customer_data", "resolve_identity")]

    for _ in range(2):
        PostgresHook(postgres_conn_id="warehouse").run(texts, parameters={"first_day": "2026-11-17", "day": "2026-11-20"})

    assert person_of(warehouse, "email", "1@example.com") == person_of(warehouse, "crm_id", "1") is not None
    assert warehouse.execute("SELECT count(*) FROM marts.contact_change").fetchone() == (0,)
