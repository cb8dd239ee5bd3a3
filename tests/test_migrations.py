"""The warehouse reaches its schema by one command, and stays there."""

import shutil
from pathlib import Path

import psycopg
import pytest

from contact_policy_night import apply, put_in_audience
from demo.postgres import EmbeddedPostgres
from nurture.errors import ConfigError
from nurture.warehouse.migrate import MIGRATIONS, migrate
from warehouse_rows import DAY, add_contact, add_ledger_row, insert, resolve


def test_a_second_run_changes_nothing(warehouse: psycopg.Connection) -> None:
    assert migrate(warehouse) == []


def test_a_file_edited_after_it_ran_is_refused_by_name(warehouse: psycopg.Connection, tmp_path: Path) -> None:
    shutil.copytree(MIGRATIONS, tmp_path / "migrations")
    edited = tmp_path / "migrations" / "0001_schemas_and_raw.sql"
    edited.write_text(edited.read_text() + "-- one more\n")

    with pytest.raises(ConfigError, match=r"0001_schemas_and_raw\.sql: changed after it ran"):
        migrate(warehouse, tmp_path / "migrations")


def test_a_broken_file_leaves_nothing_behind(postgres: EmbeddedPostgres, tmp_path: Path) -> None:
    (tmp_path / "0001_good.sql").write_text("CREATE TABLE public.good (x int);")
    (tmp_path / "0002_bad.sql").write_text("CREATE TABLE public.bad (x int); SELECT no_such_column;")
    postgres.create_database("half_migrated")

    with psycopg.connect(postgres.url("half_migrated")) as connection:
        with pytest.raises(psycopg.errors.UndefinedColumn):
            migrate(connection, tmp_path)
        left = connection.execute("SELECT to_regclass('public.good')").fetchone()

    assert left == (None,)


def test_time_zones_of_before_contact_policy_are_read_without_a_load_of_contacts(
    postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    for file in sorted(MIGRATIONS.glob("000[1-7]_*.sql")):
        shutil.copy(file, tmp_path)
    postgres.create_database("before_contact_policy")
    waiting = {"campaign": "cart_recovery", "day": DAY, "slot": "s", "trigger_event": "x", "trigger_at": DAY,
               "trigger_event_day": DAY, "trigger_row_number": 1, "context": "{}", "consent_basis": "opt-in"}  # fmt: skip

    with psycopg.connect(postgres.url("before_contact_policy")) as connection:
        migrate(connection, tmp_path)
        for crm_id, zone in (("1", "america_slash_new_york"), ("2", "Europe/Paris"), ("3", "the moon"), ("4", None)):
            add_contact(connection, crm_id, time_zone=zone)
            insert(connection, "marts", "audience", waiting | {"person_id": crm_id, "crm_id": crm_id})
        migrate(connection)
        resolve(connection)
        put_in_audience(connection, "lead_nurture")
        apply(connection)
        query = "SELECT crm_id, time_zone FROM marts.audience WHERE campaign = %s ORDER BY crm_id"
        tonight = connection.execute(query, ("lead_nurture",)).fetchall()
        waits = connection.execute(query, ("cart_recovery",)).fetchall()

    germany = "Europe/Berlin"
    assert tonight == [("1", "America/New_York"), ("2", "Europe/Paris"), ("3", germany), ("4", germany)]
    assert waits == [("1", "America/New_York"), ("2", "Europe/Paris"), ("3", None), ("4", None)]


def test_copy_of_before_verdicts_were_kept_has_its_newest_as_the_first(postgres: EmbeddedPostgres, tmp_path: Path) -> None:
    for file in sorted(MIGRATIONS.glob("00*_*.sql")):
        if file.name < "0016":
            shutil.copy(file, tmp_path)
    postgres.create_database("before_verdicts")

    with psycopg.connect(postgres.url("before_verdicts")) as connection:
        migrate(connection, tmp_path)
        add_ledger_row(connection, "1", "p1", "week-1")
        migrate(connection)
        connection.execute("UPDATE ops.copy SET verdict = 'rejected'")
        kept = connection.execute(
            "SELECT kept.verdict, judged_at = created_at FROM ops.copy_verdict AS kept JOIN ops.copy USING (copy_id)"
            " ORDER BY judged_at"
        ).fetchall()
        shown = connection.execute("SELECT verdict FROM ops.message_lineage").fetchone()

    assert (kept, shown) == ([("clear", True), ("rejected", False)], ("clear",))


def test_domains_on_lists_are_spelled_anew_and_complaints_read_again(postgres: EmbeddedPostgres, tmp_path: Path) -> None:
    for file in sorted(MIGRATIONS.glob("00*_*.sql")):
        if file.name < "0013":
            shutil.copy(file, tmp_path)
    postgres.create_database("before_review")

    with psycopg.connect(postgres.url("before_review")) as connection:
        migrate(connection, tmp_path)
        for domain in ("xn--mnchen-3ya.example", "plain.example"):
            insert(connection, "ops", "suppression", {"list": "legal", "kind": "domain", "value": domain, "source": "test",
                                                      "added_by": "robin"})  # fmt: skip
        connection.execute("INSERT INTO ops.watermark (source, value) VALUES ('hubspot.email_events', now())")
        migrate(connection)
        domains = connection.execute("SELECT value FROM ops.suppression ORDER BY suppression_id").fetchall()
        watermark = connection.execute("SELECT value FROM ops.watermark WHERE source = 'hubspot.email_events'").fetchone()

    assert domains == [("münchen.example",), ("plain.example",)]
    assert watermark is None
