"""The report of a night says why people got static copy, who took over, and which model nobody has tried the prompt with."""

from collections.abc import Callable
from typing import Any, cast

import pytest
from copy_night import CAMPAIGN, DAY, RETAIL, SECOND_MODEL, TEMPLATE, Invite, Night
from psycopg.types.json import Json

from demo.airflow import AirflowApi
from demo.summary import print_night
from nurture.copywriting.templates import text_hash
from nurture.scorecard.night import night_report
from warehouse_rows import insert

KEYS = ("cap_reached", "switched_off", "pinned_to_another", "refused_by_endpoint", "model_without_a_price",
        "second_model_took_over", "not_evaluated")  # fmt: skip

Report = Callable[..., dict[str, Any]]


@pytest.fixture
def report(night: Night, invite: Invite) -> Report:
    """Writes the night's copy and gives back what its report says of trouble: `report(api_key="wrong")`."""
    invite(RETAIL)
    invite({**RETAIL, "industry": "logistics"})
    gate = {"gate": "gate_audience", "check_name": "copy", "severity": "stop", "status": "pass", "detail": "fine"}
    where = {"dag_id": CAMPAIGN, "run_id": night.run_id, "day": DAY, "table_name": "marts.audience"}
    insert(night.connection, "ops", "gate_result", gate | where)
    night.connection.commit()

    def write(**changes: Any) -> dict[str, Any]:
        night.write(**changes)
        copy = night_report(night.connection, dag_id=CAMPAIGN, run_id=night.run_id, day=DAY)["copy"]
        return {key: copy[key] for key in KEYS if key in copy}

    return write


def add_evaluation(night: Night, model: str, *, passed: bool, digest: str | None = None) -> None:
    values = {"template_id": "lead_nurture", "template_version": 1, "template_hash": digest or text_hash(TEMPLATE)}
    insert(night.connection, "ops", "evaluation", values | {"model": model, "passed": passed, "report": Json({})})
    night.connection.commit()


def test_of_a_night_without_trouble_it_says_nothing(report: Report) -> None:
    assert report() == {}


@pytest.mark.parametrize("cap", ["run_usd", "day_tokens"])
def test_it_names_the_cap_that_was_reached(report: Report, cap: str) -> None:
    assert report(budget={cap: 0}) == {"cap_reached": cap}


def test_it_says_that_the_switch_was_off(report: Report, night: Night) -> None:
    night.connection.execute("UPDATE ops.switch SET is_on = false")
    night.connection.commit()

    assert report() == {"switched_off": "true"}


def test_it_names_the_pin_that_was_set_meanwhile(report: Report, night: Night, invite: Invite) -> None:
    """A trigger on the first noted call stands for the person who sets it."""
    for industry in ("healthcare", "manufacturing", "other"):
        invite({**RETAIL, "industry": industry})
    night.connection.execute(
        """
        CREATE FUNCTION pin() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
            INSERT INTO ops.switch (name, campaign, is_on, value)
            VALUES ('template', 'lead_nurture', true, 'lead_nurture@v2') ON CONFLICT DO NOTHING;
            RETURN NULL;
        END$$
        """
    )
    night.connection.execute("CREATE TRIGGER pin AFTER INSERT ON ops.llm_call FOR EACH ROW EXECUTE FUNCTION pin()")
    night.connection.commit()

    assert report(max_concurrency=1) == {"pinned_to_another": "template"}


def test_it_says_that_the_endpoint_refuses(report: Report) -> None:
    assert report(api_key="sk-wrong") == {"refused_by_endpoint": "true"}


def test_it_names_the_model_that_took_over(report: Report, night: Night) -> None:
    add_evaluation(night, SECOND_MODEL, passed=True)

    said = report(second=True, api_key="sk-wrong")

    assert said == {"refused_by_endpoint": "true", "second_model_took_over": SECOND_MODEL}


def test_it_says_that_a_model_has_no_price(report: Report, night: Night) -> None:
    add_evaluation(night, "unheard-of", passed=True)

    assert report(model="unheard-of") == {"model_without_a_price": "true"}


def test_it_names_a_model_with_which_the_prompt_was_never_evaluated(report: Report) -> None:
    said = report(model="gpt-4o-mini", second=True)["not_evaluated"]

    expected = f"{TEMPLATE} has passed no evaluation with gpt-4o-mini or {SECOND_MODEL}; run evaluate_prompt"
    assert said.startswith(expected)


@pytest.mark.parametrize(("passed", "digest"), [(False, None), (True, "the hash of another text")])
def test_an_evaluation_that_failed_or_was_of_another_text_is_none(
    report: Report, night: Night, passed: bool, digest: str | None
) -> None:
    add_evaluation(night, "sandbox-writer-1-mini", passed=passed, digest=digest)

    assert "no evaluation with sandbox-writer-1-mini;" in report(model="sandbox-writer-1-mini")["not_evaluated"]


def test_a_model_that_passed_on_this_warehouse_is_not_named(report: Report, night: Night) -> None:
    add_evaluation(night, "sandbox-writer-1-mini", passed=True)

    assert report(model="sandbox-writer-1-mini") == {}


class NoTasks:
    """Airflow, of a run without tasks."""

    def tasks(self, *_: str) -> list[dict[str, Any]]:
        return []


def test_the_terminal_says_it_too(report: Report, night: Night) -> None:
    said: list[str] = []
    report(budget={"run_usd": 0}, model="sandbox-writer-1-mini")

    run = {"dag_id": CAMPAIGN, "dag_run_id": night.run_id, "state": "success"}
    print_night(night.connection, cast(AirflowApi, NoTasks()), run=run, day=DAY, say=said.append)

    assert "  model copy cap reached: run_usd" in said
    assert any("not evaluated: lead_nurture@v1 has passed no evaluation with sandbox-writer-1-mini" in line for line in said)
