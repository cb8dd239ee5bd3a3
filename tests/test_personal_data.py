"""The search for personal data finds what is planted: wherever it is written, and however."""

import json
from datetime import date
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from demo.airflow import CRM_TOKEN
from nurture.warehouse.dead_letter import DeadLetter, bury
from personal_data import HOLDS_PERSONAL_DATA, Needles, database_traces, file_traces, found, needles, project_words
from sandbox.world import generate

WORLD = generate(people=60, days=8, last_day=date(2026, 11, 20), seed=7)
SOMEBODY = next(
    contact.properties for contact in WORLD.contacts
    if contact.properties.get("email") and not contact.properties["lastname"].isascii()
)  # fmt: skip


@pytest.fixture(scope="module")
def wanted() -> Needles:
    return needles(WORLD, [CRM_TOKEN])


@pytest.mark.parametrize(
    "planted",
    [
        SOMEBODY["email"],
        SOMEBODY["email"].upper(),
        quote(SOMEBODY["email"], safe=""),
        SOMEBODY["email"].split("@")[0],
        f"dear {SOMEBODY['lastname']},",
        json.dumps({"value": SOMEBODY["lastname"]}),
        json.dumps(json.dumps({"value": SOMEBODY["lastname"]})),
        f"{SOMEBODY['firstname']} {SOMEBODY['lastname']}",
        "\\x" + f"dear {SOMEBODY['lastname']}".encode().hex(),
        f"of {SOMEBODY['company']}.",
        "somebody.else@example.com",
        f"Bearer {CRM_TOKEN}",
    ],
)
def test_what_is_planted_is_found(wanted: Needles, planted: str) -> None:
    said = found(wanted, {"a log": f"2026-11-22 INFO nothing to see\n… {planted} …\n", "another": "clean"})

    assert said and all(line.startswith("a log: ") for line in said)
    assert CRM_TOKEN not in str(said)


def test_what_names_nobody_is_passed(wanted: Needles) -> None:
    clean = "INFO p_0b1c: confirmed; template lead_nurture@v2, apache-airflow 3.3.2, contact 100012, root@127 50 % of 1.2.3"

    assert found(wanted, {"a log": clean, "the project": " ".join(sorted(project_words()))}) == []


def test_nearly_every_name_of_the_world_is_looked_for(wanted: Needles) -> None:
    surnames = {contact.properties["lastname"] for contact in WORLD.contacts}
    looked_for = {name for name in surnames if found(wanted, {"x": name})}

    assert len(looked_for) > 0.8 * len(surnames), surnames - looked_for


def test_every_column_of_every_table_is_searched_but_those_that_say_why(
    warehouse: psycopg.Connection, wanted: Needles
) -> None:
    name = SOMEBODY["lastname"]
    bury(warehouse, [DeadLetter("crm.push", "k", f"refused {name}", payload={"name": name})])
    warehouse.execute("CREATE TABLE ops.made_tomorrow (note jsonb)")
    warehouse.execute("INSERT INTO ops.made_tomorrow VALUES (%s)", (json.dumps({"note": [name]}),))
    warehouse.execute(
        "INSERT INTO ops.run_report (dag_id, run_id, day, outcome, report) VALUES ('d', 'r', '2026-11-20', 'completed', %s)",
        (json.dumps({"who": name}),),
    )

    said = found(wanted, database_traces(warehouse, "ops", but=HOLDS_PERSONAL_DATA))

    assert {line.split(":")[0] for line in said} == {
        "ops.dead_letter.reason", "ops.made_tomorrow.note", "ops.run_report.report",
    }  # fmt: skip


def test_every_column_that_may_hold_it_exists(warehouse: psycopg.Connection) -> None:
    rows = warehouse.execute(
        "SELECT table_schema || '.' || table_name || '.' || column_name FROM information_schema.columns"
    ).fetchall()

    assert HOLDS_PERSONAL_DATA.keys() <= {row[0] for row in rows}


def test_files_of_any_name_are_searched(tmp_path: Path, wanted: Needles) -> None:
    (tmp_path / "dag_id=x").mkdir()
    (tmp_path / "dag_id=x" / "attempt=1.log").write_text(f"dear {SOMEBODY['lastname']}")
    (tmp_path / "airflow.err").write_text(f"to {SOMEBODY['email']}")

    assert len({line.split(":")[0] for line in found(wanted, file_traces(tmp_path))}) == 2
