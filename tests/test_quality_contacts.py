"""Q2 and D9: fewer than 2 % extra rows by e-mail; what the CRM delivered is what consent is decided from."""

from collections.abc import Sequence

import psycopg
import pytest

from quality_night import RUN, add_contacts, check

pytestmark = pytest.mark.slow  # Great Expectations takes seconds


@pytest.mark.parametrize(("extra", "status"), [(1, "pass"), (2, "fail"), (3, "fail")])
def test_the_limit_of_duplicates_itself_fails(warehouse: psycopg.Connection, extra: int, status: str) -> None:
    add_contacts(warehouse, 99 - extra)
    add_contacts(warehouse, 1 + extra, email="shared@example.com")

    result = check(warehouse, "staging.contacts", "duplicate_contacts")

    assert (result.status, result.observed, result.threshold) == (status, extra / 100, 0.02)


def test_duplicates_are_extra_rows_not_all_rows_of_a_repeated_address(warehouse: psycopg.Connection) -> None:
    add_contacts(warehouse, 9802)
    add_contacts(warehouse, 99)
    add_contacts(warehouse, 99)
    warehouse.execute("UPDATE staging.contacts SET email = 'pair' || crm_id::int %% 99 WHERE crm_id::int > 9802", {})

    result = check(warehouse, "staging.contacts", "duplicate_contacts")

    assert result.status == "pass"
    assert result.observed == pytest.approx(0.0099)


def test_contacts_without_an_address_are_no_duplicates_but_count_among_all_rows(warehouse: psycopg.Connection) -> None:
    add_contacts(warehouse, 98, email=None)
    add_contacts(warehouse, 2, email="shared@example.com")

    assert check(warehouse, "staging.contacts", "duplicate_contacts").observed == 0.01


def test_duplicates_are_named_by_crm_id(warehouse: psycopg.Connection) -> None:
    add_contacts(warehouse, 30, email="shared@example.com")

    result = check(warehouse, "staging.contacts", "duplicate_contacts")

    assert len(result.sample_keys) == 20
    assert all(key.isdigit() for key in result.sample_keys)


def test_a_crm_without_contacts_fails(warehouse: psycopg.Connection) -> None:
    result = check(warehouse, "staging.contacts", "contacts_present")

    assert (result.status, result.observed) == ("fail", 0.0)


def test_one_contact_is_enough_to_go_on(warehouse: psycopg.Connection) -> None:
    add_contacts(warehouse, 1)

    assert check(warehouse, "staging.contacts", "contacts_present").status == "pass"


@pytest.mark.parametrize("column", ["country", "consent_status", "email"])
def test_an_optional_column_that_is_often_empty_warns(warehouse: psycopg.Connection, column: str) -> None:
    add_contacts(warehouse, 10)
    statement = psycopg.sql.SQL("UPDATE raw_hubspot.contacts SET {} = NULL WHERE crm_id IN ('3', '4')")
    warehouse.execute(statement.format(psycopg.sql.Identifier(column)))

    result = check(warehouse, "raw_hubspot.contacts", f"hubspot_{column}_present")

    assert (result.status, result.severity, result.observed) == ("warn", "warn", 0.2)
    assert set(result.sample_keys) == {"3", "4"}


@pytest.mark.parametrize("column", ["is_archived = true", "merged_into = '1'"])
def test_archived_and_merged_contacts_do_not_count(warehouse: psycopg.Connection, column: str) -> None:
    add_contacts(warehouse, 10)
    warehouse.execute(f"UPDATE raw_hubspot.contacts SET country = NULL, {column} WHERE crm_id > '3'".encode())

    assert check(warehouse, "raw_hubspot.contacts", "hubspot_country_present").observed == 0


def test_a_change_from_the_future_fails(warehouse: psycopg.Connection) -> None:
    add_contacts(warehouse, 2)
    warehouse.execute("UPDATE raw_hubspot.contacts SET modified_at = '2099-01-01' WHERE crm_id = '2'")

    result = check(warehouse, "raw_hubspot.contacts", "hubspot_modified_in_future")

    assert (result.status, result.sample_keys) == ("fail", ("2",))


@pytest.mark.parametrize(
    ("loads", "status"),
    [([(1980, 20)], "fail"), ([(1981, 19)], "pass"), ([(1000, 19), (981, 0)], "pass"), ([(29, 10)], "fail"), ([], "warn")],
)
def test_undeliverable_records_are_judged_by_their_share(
    warehouse: psycopg.Connection, loads: Sequence[tuple[int, int]], status: str
) -> None:
    for number, (loaded, dead) in enumerate(loads):
        warehouse.execute(
            "INSERT INTO ops.load_log (dag_id, run_id, source, loaded_rows, dead_rows) VALUES (%s, %s, %s, %s, %s)",
            (RUN["dag_id"], RUN["run_id"], f"hubspot.contacts{number}", loaded, dead),
        )

    assert check(warehouse, "raw_hubspot.contacts", "hubspot_undeliverable_rows").status == status


@pytest.mark.parametrize(("dead", "status"), [(0, "pass"), (1, "warn"), (9, "warn"), (10, "fail")])
def test_a_few_bad_records_in_a_small_change_warn_with_the_figure_and_do_not_stop_the_night(
    warehouse: psycopg.Connection, dead: int, status: str
) -> None:
    warehouse.execute(
        "INSERT INTO ops.load_log (dag_id, run_id, source, loaded_rows, dead_rows) VALUES (%s, %s, %s, %s, %s)",
        (RUN["dag_id"], RUN["run_id"], "hubspot.contacts", 39 - dead, dead),
    )

    result = check(warehouse, "raw_hubspot.contacts", "hubspot_undeliverable_rows")

    assert (result.status, result.severity, result.observed) == (status, "stop", dead / 39)
    assert f"{dead} of 39 delivered rows could not be loaded" in result.detail
    assert ("fewer than the 10 that stop a night" in result.detail) == (status == "warn")
