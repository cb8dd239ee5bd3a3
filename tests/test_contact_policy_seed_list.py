"""Test sends: who gets them, under which name they are kept, and that they leave the night of everyone alone."""

from typing import Any

import psycopg
import pytest

from audience_night import NIGHT, TRIGGERS, leads, resolve
from dags_under_test import dag_bag, statements_of
from nurture.contact_policy.seed_list import campaign_of, is_test_send, macros
from nurture.copywriting.switch import TEMPLATE, is_on, pinned, set_switch
from nurture.errors import TerminalError
from nurture.scorecard.night import night_report, run_kind
from nurture.warehouse.statements import statement
from warehouse_rows import DAY, add_contact

TEST_SEND = "lead_nurture~seed"


def select(
    warehouse: psycopg.Connection, campaign: str, run_id: str = "r1", *, is_rehearsal: str = "false"
) -> list[tuple[Any, ...]]:
    """Run the step as the DAG names it; returns CRM id, slot and trigger of everyone in that night."""
    values = {**NIGHT, **TRIGGERS, "campaign": campaign, "run_id": run_id, "is_rehearsal": is_rehearsal}
    for name in statements_of("lead_nurture", "select_audience"):
        warehouse.execute(statement(name), values)
    return warehouse.execute(
        "SELECT crm_id, slot, trigger_event FROM marts.audience WHERE campaign = %s ORDER BY crm_id", (campaign,)
    ).fetchall()


def colleague(warehouse: psycopg.Connection, crm_id: str, said: str = "true") -> None:
    add_contact(warehouse, crm_id)
    warehouse.execute(
        "UPDATE raw_hubspot.contacts SET properties = jsonb_build_object('nurture_seed', %s::text) WHERE crm_id = %s",
        (said, crm_id),
    )


@pytest.fixture
def people(warehouse: psycopg.Connection) -> psycopg.Connection:
    """Leads 1 and 2, colleague 3, and 4 who is no colleague any more."""
    leads(warehouse, "1", "2")
    colleague(warehouse, "3")
    colleague(warehouse, "4", "false")
    resolve(warehouse)
    warehouse.execute(statement("marts/person_features.sql"), {"day": DAY})
    return warehouse


def test_a_test_send_goes_to_the_seed_list_only_and_leaves_the_night_alone(people: psycopg.Connection) -> None:
    night = select(people, "lead_nurture")

    test = select(people, TEST_SEND)

    assert [row[0] for row in night] == ["1", "2"]
    assert test == [("3", "seed-r1", "seed_list")]
    again = people.execute("SELECT crm_id FROM marts.audience WHERE campaign = 'lead_nurture' ORDER BY 1").fetchall()
    assert again == [("1",), ("2",)]


def test_a_new_run_is_a_new_test_and_the_same_run_is_the_same_message(people: psycopg.Connection) -> None:
    first, again, new = (select(people, TEST_SEND, run_id) for run_id in ("r1", "r1", "r2"))

    assert first == again
    assert [row[1] for row in new] == ["seed-r2"]


def test_the_trigger_of_a_test_lies_on_the_nights_day_so_that_the_gate_lets_it_pass(people: psycopg.Connection) -> None:
    select(people, TEST_SEND)

    row = people.execute(
        "SELECT (trigger_at AT TIME ZONE 'UTC')::date, context ->> 'persona' FROM marts.audience WHERE campaign = %s",
        (TEST_SEND,),
    ).fetchone()
    assert row == (DAY, "founder")


def test_every_step_of_a_campaign_keeps_a_test_under_the_same_name() -> None:
    dag = dag_bag().dags["lead_nurture"]
    tasks = [task for task in dag.tasks if hasattr(task, "campaign") or "campaign" in getattr(task, "parameters", {})]

    for audience, name in (("everyone", "lead_nurture"), ("seed_list", TEST_SEND)):
        context: Any = {"params": {"audience": audience}, "run_id": "r", "dag": dag}
        for task in tasks:
            field = getattr(task, "campaign", None) or task.parameters["campaign"]
            assert task.render_template(field, context) == name, f"{task.task_id} of {audience}"
    assert len(tasks) >= 9


def test_the_audience_of_a_dry_run_is_marked_until_the_night_itself_runs(people: psycopg.Connection) -> None:
    told = []
    for dry_run in (True, False):
        names = macros("lead_nurture", ai_share=1, static_share=0)
        select(people, "lead_nurture", is_rehearsal=names["is_rehearsal"]({"dry_run": dry_run}))
        told.append(people.execute("SELECT crm_id, is_rehearsal FROM marts.audience ORDER BY 1").fetchall())

    assert told == [[("1", True), ("2", True)], [("1", False), ("2", False)]]
    template = dag_bag().dags["lead_nurture"].get_task("select_audience").parameters["is_rehearsal"]
    assert template == "{{ is_rehearsal(params) }}"


def test_everybody_on_the_seed_list_gets_model_copy() -> None:
    names = macros("c", ai_share=0.7, static_share=0.2)

    told = [(names["ai_share"](params), names["static_share"](params)) for params in ({}, {"audience": "seed_list"})]

    assert told == [("0.7", "0.2"), ("1", "0")]


@pytest.mark.parametrize("asked", ["Seed_list", "seedlist", "", None, True])
def test_a_word_that_is_neither_writes_to_nobody(asked: Any) -> None:
    with pytest.raises(TerminalError, match="expected everyone or seed_list"):
        macros("c", ai_share=1, static_share=0)["night_name"]({"audience": asked})


def test_a_test_send_follows_the_switches_of_its_campaign(warehouse: psycopg.Connection) -> None:
    set_switch(warehouse, TEMPLATE, "lead_nurture", value="lead_nurture@v1", changed_by="robin")
    before = is_on(warehouse, TEST_SEND)
    set_switch(warehouse, "ai_personalization", "lead_nurture", is_on=False, changed_by="robin")

    assert pinned(warehouse, TEST_SEND).template == "lead_nurture@v1"
    assert (before, is_on(warehouse, TEST_SEND), is_on(warehouse, "another~seed")) == (True, False, True)


def test_the_report_of_a_test_send_is_about_the_test(people: psycopg.Connection) -> None:
    people.execute(
        "INSERT INTO ops.gate_result (dag_id, run_id, gate, check_name, day, table_name, severity, status, detail)"
        " VALUES ('lead_nurture', 'r1', 'g', 'c', %s, 'marts.audience', 'stop', 'pass', '')", (DAY,),
    )  # fmt: skip
    select(people, "lead_nurture")
    select(people, TEST_SEND)

    told = [
        night_report(people, dag_id="lead_nurture", run_id="r1", day=str(DAY), campaign=name)["audience"]["qualified"]
        for name in (TEST_SEND, None, "lead_nurture")
    ]

    assert told == [1, 1, 2], "without the name the run's slot says it"
    assert run_kind(is_dry=False, name=TEST_SEND) == {"kind": "test send to the seed list of lead_nurture"}
    assert run_kind(is_dry=False, name="lead_nurture") == {}
    assert (campaign_of(TEST_SEND), is_test_send(TEST_SEND), is_test_send("lead_nurture")) == ("lead_nurture", True, False)
