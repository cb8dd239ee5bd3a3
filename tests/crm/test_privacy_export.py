"""Everything that is kept of a person in one document, and who may download it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from privacy_world import ADDRESSES, ERIN, dump, erase_here, person_of, request, warehouse_url, world

from nurture.hooks.hubspot import HubSpotHook
from nurture.paths import PROJECT
from nurture.privacy.data_map import load_data_map
from nurture.privacy.export import export
from nurture.privacy.requests import crm_ids, report

pytestmark = pytest.mark.slow  # whole pushes to the CRM over HTTP

__all__ = ["warehouse_url", "world"]


def hand_out(warehouse: psycopg.Connection, hook: HubSpotHook) -> int:
    request_id = request(warehouse, action="export")
    contacts = hook.batch_read(crm_ids(warehouse, request_id), ["email", "nurture_body"])
    properties = {crm_id: dict(each.properties) for crm_id, each in contacts.items()}
    export(warehouse, load_data_map(), request_id, crm=properties)
    warehouse.commit()
    return request_id


def document(warehouse: psycopg.Connection, request_id: int) -> dict[str, dict[str, list[dict[str, str]]]]:
    row = warehouse.execute("SELECT document FROM ops.privacy_export WHERE request_id = %s", (request_id,)).fetchone()
    warehouse.commit()
    assert row is not None
    return row[0]


def test_an_export_holds_every_row_that_an_erasure_would_touch(world: psycopg.Connection, hook: HubSpotHook) -> None:
    hook._call("PATCH", f"/crm/v3/objects/contacts/{ERIN}", json={"properties": {"nurture_body": "Made for you."}})
    handed_out = document(world, hand_out(world, hook))
    erased = request(world)
    erase_here(world, erased)

    touched = report(world, erased)["rows"]
    exported = {name: len(rows) for name, rows in handed_out["warehouse"].items()}
    tables = load_data_map().tables
    touched["marts.contact_change"] = 1  # the others are notes that the erasure itself set off
    assert exported == {name: rows for name, rows in touched.items() if tables[name].export}
    assert handed_out["crm"][str(ERIN)]["email"] == ADDRESSES[ERIN]
    assert handed_out["crm"][str(ERIN)]["nurture_body"] == "Made for you."
    assert ADDRESSES[ERIN] in handed_out["identifiers"]["email"]


def test_an_export_holds_entries_of_suppression_lists_that_know_only_the_hash_of_an_address(
    world: psycopg.Connection, hook: HubSpotHook
) -> None:
    for list_name, address in (("spam_complaint", ADDRESSES[ERIN]), ("others", "annika.71000002@example.com")):
        world.execute(
            "INSERT INTO ops.suppression (list, kind, value, source, added_by)"
            " VALUES (%s, 'email_sha256', encode(sha256(convert_to(staging.address_key(%s), 'UTF8')), 'hex'), 's', 'robin')",
            (list_name, address),
        )

    handed_out = document(world, hand_out(world, hook))
    erase_here(world, request(world))

    lists = {row["list"] for row in handed_out["warehouse"]["ops.suppression"]}
    assert lists == {"test", "spam_complaint"}
    kept = world.execute("SELECT count(*) FROM ops.suppression WHERE kind = 'email_sha256'").fetchone()
    assert kept == (2,), "the complaint holds if the address comes back"


def test_an_export_names_nobody_else(world: psycopg.Connection, hook: HubSpotHook) -> None:
    text = json.dumps(document(world, hand_out(world, hook)))

    assert "Sample71000001" not in text
    assert "annika.71000002@example.com" not in text


def test_an_export_forgets_the_identifiers_and_goes_with_an_erasure(world: psycopg.Connection, hook: HubSpotHook) -> None:
    hand_out(world, hook)
    assert world.execute("SELECT count(*) FROM ops.privacy_subject").fetchone() == (0,)

    erase_here(world, request(world))

    assert world.execute("SELECT count(*) FROM ops.privacy_export").fetchone() == (0,)
    assert ADDRESSES[ERIN] not in dump(world)


def test_an_export_sets_no_tombstone(world: psycopg.Connection, hook: HubSpotHook) -> None:
    hand_out(world, hook)

    assert world.execute("SELECT count(*) FROM ops.tombstone").fetchone() == (0,)
    assert person_of(world, ERIN)


@pytest.mark.airflow
def test_who_may_start_the_dag_downloads_an_export_and_each_download_is_kept(
    world: psycopg.Connection, hook: HubSpotHook, warehouse_url: str
) -> None:
    request_id = hand_out(world, hook)
    environment = {
        **os.environ, "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"), "AIRFLOW_CONN_WAREHOUSE": warehouse_url,
        "AIRFLOW__API_AUTH__JWT_SECRET": "a secret of this test, long enough for a signature",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "v:viewer",
    }  # fmt: skip
    subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], check=True, capture_output=True, env=environment)
    page, gone = (f"/nurture/privacy-export?request_id={number}" for number in (request_id, 999))

    script = Path(__file__).parents[1] / "privacy_export_in_airflow.py"
    asked = subprocess.run([sys.executable, script, page, gone], capture_output=True, text=True, env=environment)

    assert asked.returncode == 0, asked.stderr[-3000:]
    said = json.loads(asked.stdout.strip().splitlines()[-1])
    statuses = {role: answer["status"] for role, answer in said[page].items()}
    assert statuses == {"nobody": 401, "viewer": 403, "user": 200, "op": 200, "admin": 200}
    assert said[gone]["user"]["status"] == 404
    assert json.loads(said[page]["user"]["text"]) == document(world, request_id)
    assert said[page]["user"]["headers"]["cache-control"] == "no-store"
    assert said[page]["user"]["headers"]["content-disposition"].startswith("attachment")
    kept = world.execute("SELECT request_id, downloaded_by FROM ops.privacy_download ORDER BY download_id").fetchall()
    assert kept == [(request_id, f"{role}-robin") for role in ("user", "op", "admin")]
