"""Suppression lists from the UI: what is kept, and that no address is."""

import logging
from hashlib import sha256
from typing import Any

import psycopg
import pytest
from airflow.sdk.exceptions import AirflowFailException

from dags_under_test import dag_bag

ADDRESS = "anna.mueller@example.com"
HASH = sha256(ADDRESS.encode()).hexdigest()


class Run:
    triggering_user_name = "robin"


@pytest.fixture
def change(warehouse_url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run the DAG's task with some of its Params, as its form would."""
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", warehouse_url)
    dag = dag_bag().dags["set_suppression"]

    def run(**given: Any) -> Any:
        params = {name: param.value for name, param in dag.params.items()} | given
        return dag.get_task("set_suppression").execute({"params": params, "dag_run": Run})  # type: ignore[typeddict-item]

    return run


def entries(warehouse: psycopg.Connection) -> list[tuple[Any, ...]]:
    return warehouse.execute(
        "SELECT list, kind, value, reason, added_by, removed_by, removal_reason FROM ops.suppression ORDER BY suppression_id"
    ).fetchall()


def test_entries_come_and_go_and_who_and_why_stays(change: Any, warehouse: psycopg.Connection) -> None:
    added = change(list="legal", values=["1", "2", " 2 "], note="case 7")
    again = change(list="legal", values=["2", "3"])
    removed = change(list="legal", action="remove", values=["2", "9"], note="settled")
    back = change(list="legal", values=["2"])

    assert added == {"list": "legal", "action": "add", "kind": "crm_id", "changed": 2, "unchanged": 0, "on_the_list": 2}
    assert [(answer["changed"], answer["on_the_list"]) for answer in (again, removed, back)] == [(1, 3), (1, 2), (1, 3)]
    assert entries(warehouse) == [
        ("legal", "crm_id", "1", "case 7", "robin", None, None),
        ("legal", "crm_id", "2", "case 7", "robin", "robin", "settled"),
        ("legal", "crm_id", "3", None, "robin", None, None),
        ("legal", "crm_id", "2", None, "robin", None, None),
    ]


@pytest.mark.parametrize(
    ("kind", "value"),
    [("email_sha256", HASH), ("domain", "mail.example.com"), ("person_id", "p_" + 32 * "a"), ("crm_id", "30144")],
)
def test_every_kind_can_be_listed(change: Any, warehouse: psycopg.Connection, kind: str, value: str) -> None:
    change(kind=kind, values=[value])

    assert [row[:3] for row in entries(warehouse)] == [("do_not_contact", kind, value)]


def test_a_domain_is_one_entry_however_it_is_spelled(change: Any, warehouse: psycopg.Connection) -> None:
    added = change(kind="domain", values=["xn--mnchen-3ya.example", "münchen.example"])
    again = change(kind="domain", values=["mu\u0308nchen.example"])
    before = entries(warehouse)
    removed = change(kind="domain", action="remove", values=["xn--mnchen-3ya.example"])

    assert [answer["changed"] for answer in (added, again, removed)] == [1, 0, 1]
    assert [row[:3] for row in before] == [("do_not_contact", "domain", "münchen.example")]


@pytest.mark.parametrize("kind", ["crm_id", "person_id", "email_sha256", "domain"])
@pytest.mark.parametrize("address", [ADDRESS, f" {ADDRESS.upper()} ", ADDRESS.replace("@", "%40")])
def test_an_address_is_refused_and_not_repeated(
    change: Any, warehouse: psycopg.Connection, caplog: pytest.LogCaptureFixture, kind: str, address: str
) -> None:
    caplog.set_level(logging.DEBUG)

    with pytest.raises(AirflowFailException, match="value 2 of 2 looks like an e-mail address") as error:
        change(kind=kind, values=["1" if kind == "crm_id" else _fitting(kind), address])

    assert "staging.address_key('ADDRESS')" in str(error.value)
    assert "mueller" not in (str(error.value) + caplog.text).lower()
    assert entries(warehouse) == []


def _fitting(kind: str) -> str:
    return {"person_id": "p_1", "email_sha256": HASH, "domain": "example.com"}[kind]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"values": []}, "expected a list of 1 to 10000 values"),
        ({"values": "1"}, "expected a list of 1 to 10000 values"),
        ({"values": ["Anna Müller"]}, "value 1 of 1 is no crm_id"),
        ({"values": [7]}, "value 1 of 1 is no crm_id"),
        ({"kind": "email_sha256", "values": [HASH[:-1]]}, "64 hex digits"),
        ({"kind": "domain", "values": ["Example.com"]}, "in lower case"),
        ({"kind": "domain", "values": ["com"]}, "value 1 of 1 is no domain"),
        ({"kind": "domain", "values": ["mü ller.example"]}, "value 1 of 1 is no domain"),
        ({"kind": "email", "values": ["1"]}, "expected one of crm_id, person_id, email_sha256, domain"),
        ({"action": "purge", "values": ["1"]}, "expected one of add, remove"),
        ({"list": "Legal; DROP", "values": ["1"]}, "list: expected a name"),
        ({"values": ["1"], "note": f"ask {ADDRESS}"}, "without an e-mail address"),
    ],
)
def test_what_is_wrong_changes_nothing_and_is_not_repeated(
    change: Any, warehouse: psycopg.Connection, given: dict[str, Any], words: str
) -> None:
    with pytest.raises(AirflowFailException, match="No list was changed") as error:
        change(**given)

    assert words in str(error.value)
    assert "ller" not in str(error.value)
    assert entries(warehouse) == []


def test_the_table_takes_no_address_whoever_writes(warehouse: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        warehouse.execute(
            "INSERT INTO ops.suppression (list, kind, value, source, added_by) VALUES ('l', 'domain', %s, 's', 'b')",
            (ADDRESS,),
        )
