"""What a gate keeps of what it found, and what it does when it cannot find out."""

import logging

import psycopg
import pytest

from demo.postgres import EmbeddedPostgres
from nurture.errors import ConfigError
from nurture.policy import load_policy
from nurture.quality.gate import run_gate
from nurture.quality.record import stopped_by
from nurture.quality.verdict import GateBroken
from quality_night import DAY, RUN, add_contacts, add_events, judge

pytestmark = pytest.mark.slow  # Great Expectations takes seconds


def test_every_check_is_kept_with_its_figure_and_its_limit(warehouse: psycopg.Connection) -> None:
    add_contacts(warehouse, 98)
    add_contacts(warehouse, 2, email="shared@example.com")

    judge(warehouse, "staging.contacts")

    kept = warehouse.execute(
        "SELECT check_name, day, table_name, severity, status, observed, threshold, unit FROM ops.gate_result ORDER BY 1"
    ).fetchall()
    assert kept == [
        ("contacts_present", DAY, "staging.contacts", "stop", "pass", 100.0, 1.0, "contacts"),
        ("duplicate_contacts", DAY, "staging.contacts", "stop", "pass", 0.01, 0.02, "share"),
    ]


def test_a_second_attempt_replaces_the_first(warehouse: psycopg.Connection) -> None:
    judge(warehouse, "staging.contacts")
    add_contacts(warehouse, 10)

    judge(warehouse, "staging.contacts")

    assert warehouse.execute("SELECT DISTINCT status FROM ops.gate_result").fetchall() == [("pass",)]
    assert warehouse.execute("SELECT count(*) FROM ops.data_docs").fetchone() == (1,)


def test_a_reporter_reads_what_stopped_the_run(warehouse: psycopg.Connection) -> None:
    add_contacts(warehouse, 10, email="shared@example.com")
    verdict = judge(warehouse, "staging.contacts")

    stopping = stopped_by(warehouse, RUN["dag_id"], RUN["run_id"])

    assert [result.check_name for result in stopping] == ["duplicate_contacts"]
    assert stopping[0].detail == verdict.failed[0].detail
    assert len(stopping[0].sample_keys) == 9
    assert stopped_by(warehouse, RUN["dag_id"], "another run") == []


def test_the_counts_handed_on_hold_no_keys(warehouse: psycopg.Connection) -> None:
    assert judge(warehouse, "staging.contacts").counts() == {"pass": 1, "warn": 0, "fail": 1, "error": 0}


def test_a_table_that_is_gone_is_an_error_and_raises(warehouse: psycopg.Connection) -> None:
    add_contacts(warehouse, 1)
    warehouse.execute("DROP TABLE staging.events")

    with pytest.raises(GateBroken, match=r"missing_user_ids on staging\.events"):
        judge(warehouse, "staging.contacts", "staging.events")

    kept = dict(warehouse.execute("SELECT check_name, status FROM ops.gate_result").fetchall())
    assert kept == {
        "contacts_present": "pass",
        "duplicate_contacts": "pass",
        "missing_user_ids": "error",
        "event_change": "error",
    }
    assert len(stopped_by(warehouse, RUN["dag_id"], RUN["run_id"])) == 2


def test_a_column_that_a_measure_needs_and_is_gone_is_an_error_and_raises(warehouse: psycopg.Connection) -> None:
    warehouse.execute("ALTER TABLE staging.events DROP COLUMN user_id")

    with pytest.raises(GateBroken, match='column "user_id" does not exist'):
        judge(warehouse, "staging.events")

    kept = dict(warehouse.execute("SELECT check_name, status FROM ops.gate_result").fetchall())
    assert kept["missing_user_ids"] == "error"


def test_an_error_that_quotes_a_row_is_kept_without_it(warehouse: psycopg.Connection) -> None:
    add_contacts(warehouse, 1, email="jane@example.com")
    warehouse.execute("ALTER TABLE staging.contacts RENAME email TO address")
    warehouse.execute("ALTER TABLE staging.contacts RENAME TO contact")
    warehouse.execute("CREATE VIEW staging.contacts AS SELECT crm_id, address::int AS email FROM staging.contact")

    with pytest.raises(GateBroken) as broken:
        judge(warehouse, "staging.contacts")

    assert "InvalidTextRepresentation" in str(broken.value)
    assert "jane" not in str(broken.value) + str(warehouse.execute("SELECT detail FROM ops.gate_result").fetchall())


def test_a_database_that_is_gone_raises(warehouse_url: str, postgres: EmbeddedPostgres) -> None:
    name = warehouse_url.rsplit("/", 1)[1]
    with psycopg.connect(warehouse_url) as connection, psycopg.connect(postgres.url("postgres"), autocommit=True) as admin:
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())

        with pytest.raises(GateBroken, match="The warehouse does not answer"):
            run_gate(connection, tables=["staging.contacts"], day=DAY, policy=load_policy(), **RUN)
    postgres.create_database(name)


def test_a_password_of_any_characters_breaks_nothing_and_is_shown_nowhere(
    warehouse: psycopg.Connection, warehouse_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    password = "p@${HOME}$s/w:%rd?#"
    warehouse.execute("CREATE ROLE gate_reader SUPERUSER LOGIN")
    warehouse.commit()

    with caplog.at_level(logging.DEBUG), psycopg.connect(warehouse_url, user="gate_reader", password=password) as connection:
        judge(connection, "staging.contacts")
        page = str(connection.execute("SELECT html FROM ops.data_docs").fetchone())

    warehouse.execute("DROP ROLE gate_reader")
    warehouse.commit()
    assert "p@$" not in page + caplog.text


def test_neither_results_nor_page_nor_log_hold_an_address(
    warehouse: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    add_contacts(warehouse, 30, email="jane.doe@example.com")
    warehouse.execute("UPDATE staging.contacts SET crm_id = 'x' || crm_id || '@example.com' WHERE crm_id::int > 15")
    add_events(warehouse, "jane.doe@example.com", 500)
    add_events(warehouse, "page_view", 500, days_ago=7)

    with caplog.at_level(logging.DEBUG):
        judge(warehouse, "raw_hubspot.contacts", "staging.events", "staging.contacts")

    kept = str(warehouse.execute("SELECT detail, sample_keys FROM ops.gate_result").fetchall())
    page = str(warehouse.execute("SELECT html FROM ops.data_docs").fetchone())
    assert "(hidden)" in kept
    assert "@example.com" not in kept
    assert "@example.com" not in page
    assert "jane" not in caplog.text


def test_the_page_is_great_expectations_own_and_needs_nothing_from_elsewhere(warehouse: psycopg.Connection) -> None:
    add_events(warehouse, "<script>alert(1)</script>", 500)
    add_events(warehouse, "page_view", 500, days_ago=7)

    judge(warehouse, "raw_ga4.events", "staging.events")

    (page,) = warehouse.execute("SELECT html FROM ops.data_docs").fetchone() or ("",)
    assert "Great Expectations" in page
    assert "missing_user_ids (must be below 5 %)" in page
    assert "raw_ga4.events" in page
    assert "<script" not in page
    assert "<link" not in page


def test_a_campaign_of_any_name_is_a_value_and_never_sql(warehouse: psycopg.Connection) -> None:
    verdict = judge(warehouse, "marts.audience", "ops.message", campaign="x'; DROP TABLE ops.copy; -- :day {batch} %s")

    assert verdict.is_passed
    assert warehouse.execute("SELECT to_regclass('ops.copy') IS NOT NULL").fetchone() == (True,)


def test_a_gate_on_a_campaigns_table_without_a_campaign_says_what_to_do(warehouse: psycopg.Connection) -> None:
    with pytest.raises(ConfigError, match="give `campaign` to the operator"):
        judge(warehouse, "marts.audience")
