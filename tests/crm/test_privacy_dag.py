"""The DAG `privacy_request` from its form to its report, against a warehouse and a CRM over HTTP."""

import json
import subprocess
import sys
from typing import Any

import psycopg
import pytest
from airflow.exceptions import ParamValidationError
from airflow.sdk.exceptions import AirflowFailException
from privacy_world import ADDRESSES, ERIN, MERGED_ERIN, PEOPLE, dump, found, person_of, request, traces, warehouse_url, world

from dags_under_test import FOLDER, dag_bag
from nurture.hooks.hubspot import HubSpotHook

__all__ = ["warehouse_url", "world"]

ERASE = {"action": "erase", "crm_id": str(ERIN), "confirm": str(ERIN), "ticket": "T-7"}


@pytest.fixture(autouse=True)
def warehouse_connection(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "world" in request.fixturenames:
        monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", request.getfixturevalue("warehouse_url"))


class Run:
    triggering_user_name = "robin"


def find(**given: Any) -> Any:
    """The first step, with Params as its form would give them."""
    dag = dag_bag().dags["privacy_request"]
    params = {name: param.value for name, param in dag.params.items()} | given
    context = {"params": params, "dag_run": Run, "run_id": "run-1"}
    return dag.get_task("find_person").execute(context)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "expected one of crm_id and person_id, found neither"),
        ({"crm_id": "71000003", "person_id": "p_1"}, "found both"),
        (ERASE | {"confirm": None}, "`confirm` must be the same id once more"),
        (ERASE | {"confirm": str(PEOPLE[0])}, "`confirm` must be the same id once more"),
        ({"crm_id": ADDRESSES[ERIN]}, "Airflow keeps what is typed into a form"),
        ({"person_id": ADDRESSES[ERIN]}, "Airflow keeps what is typed into a form"),
        ({"action": "erase", "person_id": "p_nobody", "confirm": "p_nobody"}, "no person has this id"),
    ],
)
def test_a_form_that_names_nobody_for_sure_does_nothing(
    world: psycopg.Connection, given: dict[str, Any], words: str
) -> None:
    with pytest.raises(AirflowFailException, match="Nothing was done") as error:
        find(**given)

    assert words in str(error.value)
    assert ADDRESSES[ERIN] not in str(error.value)
    assert world.execute("SELECT count(*) FROM ops.privacy_request").fetchone() == (0,)
    assert world.execute("SELECT count(*) FROM ops.tombstone").fetchone() == (0,)


def test_the_form_itself_takes_no_address() -> None:
    params = dag_bag().dags["privacy_request"].params

    for name in ("crm_id", "person_id", "confirm"):
        with pytest.raises(ParamValidationError):
            params.get_param(name).resolve(ADDRESSES[ERIN])


def test_a_person_is_found_by_any_id_and_who_asked_is_kept(world: psycopg.Connection) -> None:
    by_person = find(person_id=person_of(world, ERIN))
    by_contact = find(crm_id=str(MERGED_ERIN), ticket="T-8")

    assert by_person["identifiers"] == by_contact["identifiers"]
    assert by_contact["request_id"] == by_person["request_id"]  # it was still open
    row = world.execute("SELECT action, asked_by, run_id FROM ops.privacy_request").fetchall()
    assert row == [("export", "robin", "run-1")]


def test_a_second_request_for_a_person_id_says_since_when_they_are_erased(world: psycopg.Connection) -> None:
    from privacy_world import erase_here

    person_id = person_of(world, ERIN)
    erase_here(world, request(world))

    with pytest.raises(AirflowFailException, match=r"this person was erased on \d{4}-\d\d-\d\d; nothing is left to do"):
        find(action="erase", person_id=person_id, confirm=person_id)


@pytest.fixture(scope="module")
def metadata() -> None:
    """Airflow's own database, in the session's AIRFLOW_HOME, which knows the DAGs."""
    subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], check=True, capture_output=True)
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db

    DagBundlesManager().sync_bundles_to_db()
    sync_bag_to_db(DagBag(str(FOLDER / "privacy_request.py")), "dags-folder", None)
    sync_bag_to_db(DagBag(str(FOLDER / "apply_retention.py")), "dags-folder", None)


def run_dag(dag_id: str, **conf: Any) -> tuple[dict[str, str], Any]:
    """Run a DAG as its form would; returns the states of its tasks and all their XComs as text."""
    from airflow.models.xcom import XComModel
    from airflow.settings import Session

    run = dag_bag().dags[dag_id].test(run_conf=conf)
    with Session() as session:
        query = XComModel.get_many(run_id=run.run_id, dag_ids=dag_id)
        xcoms = {row.task_id: XComModel.deserialize_value(row) for row in session.execute(query).scalars()}
    return {ti.task_id: ti.state for ti in run.get_task_instances()}, xcoms


@pytest.mark.airflow
@pytest.mark.usefixtures("metadata")
def test_the_dag_erases_a_person_and_says_so_without_naming_them(
    world: psycopg.Connection, hook: HubSpotHook, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    names = [*traces(world), *ADDRESSES.values()]
    capfd.readouterr()

    states, xcoms = run_dag("privacy_request", **ERASE)

    assert set(states.values()) == {"success", "skipped"}
    assert [task for task, state in states.items() if state == "skipped"] == ["export_person"]
    assert found(dump(world), names) == []
    assert hook.batch_read([str(ERIN)], ["email"]) == {}
    done = xcoms["report_request"]
    assert (done["state"], done["ticket"], done["crm"]) == ("done", "T-7", {"ids": 2, "erased": 1, "of_others": 0})
    out, err = capfd.readouterr()
    said = json.dumps(xcoms) + caplog.text + out + err
    assert [name for name in ("Erinesque", *ADDRESSES.values(), f"user-{ERIN}") if name.lower() in said.lower()] == []


@pytest.mark.airflow
@pytest.mark.usefixtures("metadata")
def test_the_dag_exports_a_person_and_skips_what_erases(world: psycopg.Connection) -> None:
    states, xcoms = run_dag("privacy_request", action="export", crm_id=str(ERIN))

    skipped = sorted(task for task, state in states.items() if state == "skipped")
    assert skipped == ["erase_in_crm", "erase_in_warehouse", "verify_erasure"]
    assert xcoms["export_person"]["raw_hubspot.contacts"] == 2
    assert world.execute("SELECT document -> 'crm' IS NOT NULL FROM ops.privacy_export").fetchone() == (True,)
    assert ADDRESSES[ERIN] not in json.dumps(xcoms)
    assert person_of(world, ERIN)
