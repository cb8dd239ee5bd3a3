"""Switches: what they say of a campaign, what is kept of each change, and the DAG that turns them."""

from typing import Any

import psycopg
import pytest
from airflow.sdk.exceptions import AirflowFailException

from dags_under_test import dag_bag
from nurture.copywriting.switch import AI_PERSONALIZATION, MODEL, TEMPLATE, Pins, is_on, pinned, set_switch


class Run:
    triggering_user_name = "robin"


@pytest.fixture
def turn(warehouse_url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run the DAG's task with some of its Params, as its form would."""
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", warehouse_url)
    monkeypatch.setenv("AIRFLOW_CONN_LLM", '{"conn_type": "openai", "extra": {"model": "sandbox-writer-1"}}')
    dag = dag_bag().dags["set_switch"]

    def run(**given: Any) -> Any:
        params = {name: param.value for name, param in dag.params.items()} | given
        return dag.get_task("set_switch").execute({"params": params, "dag_run": Run})  # type: ignore[typeddict-item]

    return run


def events(warehouse: psycopg.Connection) -> list[tuple[Any, ...]]:
    return warehouse.execute(
        "SELECT name, campaign, is_on, value, note, changed_by FROM ops.switch_event ORDER BY switch_event_id OFFSET 1"
    ).fetchall()


@pytest.mark.parametrize(
    ("everyone", "own", "expected"),
    [(True, None, True), (True, True, True), (True, False, False),
     (False, True, False), (False, None, False), (None, True, False)],
)  # fmt: skip
def test_a_campaign_may_use_model_copy_only_when_no_switch_is_off(
    warehouse: psycopg.Connection, everyone: bool | None, own: bool | None, expected: bool
) -> None:
    warehouse.execute("DELETE FROM ops.switch")
    for campaign, state in (("*", everyone), ("lead_nurture", own), ("another", False)):
        if state is not None:
            set_switch(warehouse, AI_PERSONALIZATION, campaign, is_on=state, changed_by="robin")

    assert is_on(warehouse, "lead_nurture") is expected


def test_a_campaigns_own_pin_goes_before_the_one_for_every_campaign(warehouse: psycopg.Connection) -> None:
    set_switch(warehouse, MODEL, "*", value="writer-1", changed_by="robin")
    set_switch(warehouse, MODEL, "cart_recovery", value="writer-2", changed_by="robin")
    set_switch(warehouse, TEMPLATE, "cart_recovery", value="cart_recovery@v1", changed_by="robin")
    before = pinned(warehouse, "cart_recovery"), pinned(warehouse, "lead_nurture")
    set_switch(warehouse, MODEL, "cart_recovery", value=None, changed_by="robin")

    after = pinned(warehouse, "cart_recovery")

    assert before == (Pins("cart_recovery@v1", "writer-2"), Pins(None, "writer-1"))
    assert after == Pins("cart_recovery@v1", "writer-1")


def test_every_change_is_kept_also_one_by_hand_and_the_history_cannot_be_changed(warehouse: psycopg.Connection) -> None:
    set_switch(warehouse, AI_PERSONALIZATION, "lead_nurture", is_on=False, changed_by="robin", note="odd prices")
    warehouse.execute("UPDATE ops.switch SET is_on = true WHERE campaign = 'lead_nurture'")
    warehouse.execute("DELETE FROM ops.switch WHERE campaign = 'lead_nurture'")
    warehouse.commit()

    [kept, by_hand, deleted] = events(warehouse)

    assert kept == (AI_PERSONALIZATION, "lead_nurture", False, None, "odd prices", "robin")
    assert by_hand[2:] == (True, None, None, "postgres")
    assert deleted[-1] == "postgres"
    for statement in ("UPDATE ops.switch_event SET note = 'x'", "DELETE FROM ops.switch_event"):
        with pytest.raises(psycopg.errors.RaiseException, match="is a history"):
            warehouse.execute(statement.encode())
        warehouse.rollback()


def test_the_dag_turns_switches_and_keeps_who_and_why(turn: Any, warehouse: psycopg.Connection) -> None:
    now = turn(campaign="lead_nurture", ai_personalization="off", template="lead_nurture@v1", note="odd prices")
    back = turn(campaign="lead_nurture", ai_personalization="on", template="own")

    assert now == {"lead_nurture": {"ai_personalization": False, "template": "lead_nurture@v1", "model": None}}
    assert back == {"lead_nurture": {"ai_personalization": True, "template": None, "model": None}}
    assert events(warehouse) == [
        ("ai_personalization", "lead_nurture", False, None, "odd prices", "robin"),
        ("template", "lead_nurture", True, "lead_nurture@v1", "odd prices", "robin"),
        ("ai_personalization", "lead_nurture", True, None, None, "robin"),
        ("template", "lead_nurture", True, None, None, "robin"),
    ]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "nothing to change"),
        ({"campaign": "cart"}, "expected one of *, lead_nurture"),
        ({"ai_personalization": "maybe"}, "expected one of unchanged, on, off"),
        ({"ai_personalization": "off", "template": "lead_nurture@v99"}, "name the campaign"),
        ({"campaign": "lead_nurture", "template": "lead_nurture@v99"}, "Valid here are: unchanged, own, lead_nurture@v1"),
        ({"campaign": "lead_nurture", "template": "static_template@v3"}, "Valid here are: unchanged, own, lead_nurture@v1"),
        ({"campaign": "lead_nurture", "template": None}, "Valid here are: unchanged, own, lead_nurture@v1"),
        ({"campaign": "*", "template": "lead_nurture@v1"}, "name the campaign"),
        ({"model": "; DROP TABLE"}, "expected a model's name"),
        ({"model": "no-such-model"}, "sandbox-writer-1"),
        ({"model": "claude-haiku-4-5"}, "leads to openai, which does not serve claude-haiku-4-5"),
    ],
)
def test_a_wrong_choice_turns_nothing_and_names_the_valid_ones(
    turn: Any, warehouse: psycopg.Connection, given: dict[str, Any], words: str
) -> None:
    with pytest.raises(AirflowFailException, match="Nothing was switched") as error:
        turn(**given)

    assert words in str(error.value)
    assert events(warehouse) == []


def test_the_form_offers_every_campaign_that_there_is() -> None:
    dags = dag_bag().dags
    campaigns = sorted(dag_id for dag_id, dag in dags.items() if "campaign" in dag.tags)

    assert dags["set_switch"].params.get_param("campaign").schema["enum"] == ["*", *campaigns]
    assert list(dags["set_switch"].get_task("set_switch").campaigns) == campaigns
