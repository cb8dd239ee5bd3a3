"""The DAG that evaluates a prompt, as its form runs it."""

import json
from typing import Any

import psycopg
import pytest
from airflow.sdk.exceptions import AirflowFailException

from dags_under_test import dag_bag
from nurture.copywriting.evaluation import newest_release
from sandbox.model import RunningModel


class Task:
    """What the operator uses of a task instance."""

    def __init__(self) -> None:
        self.pushed: dict[str, Any] = {}

    def xcom_push(self, key: str, value: Any) -> None:
        self.pushed[key] = value


@pytest.fixture
def evaluate(warehouse_url: str, sandbox_model: RunningModel, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run the DAG's task with some of its Params, as its form would; gives the task's return and what it pushed."""
    connection = {"conn_type": "openai", "host": sandbox_model.url, "password": sandbox_model.api_key}
    models = {"model": "sandbox-writer-1", "models": {"high": "sandbox-writer-9"}}
    monkeypatch.setenv("AIRFLOW_CONN_LLM", json.dumps(connection | {"extra": models}))
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", warehouse_url)
    dag = dag_bag().dags["evaluate_prompt"]

    def run(**given: Any) -> Any:
        params, task = {name: param.value for name, param in dag.params.items()} | given, Task()
        context = {"params": params, "dag": dag, "run_id": "manual__1", "ti": task}
        return dag.get_task("evaluate_prompt").execute(context), task.pushed

    return run


def test_the_form_evaluates_with_the_connections_model_and_shows_the_report(
    evaluate: Any, warehouse: psycopg.Connection
) -> None:
    returned, pushed = evaluate(template="meta_description@v1")

    assert returned == {"template": "meta_description@v1", "model": "sandbox-writer-1", "baseline": None, "passed": True}
    assert pushed["report"].startswith("# Evaluation of meta_description@v1: passed")
    assert len(pushed["report"]) < 10_000
    assert warehouse.execute("SELECT template_id, dag_id, run_id FROM ops.evaluation").fetchall() == [
        ("meta_description", "evaluate_prompt", "manual__1")
    ]


def test_a_prompt_below_the_limits_ends_the_task_red_with_the_report(
    evaluate: Any, sandbox_model: RunningModel, warehouse: psycopg.Connection
) -> None:
    sandbox_model.misbehave("invented_price")

    with pytest.raises(AirflowFailException, match="meta_description@v1 did not pass: 0% is clear or flagged"):
        evaluate(template="meta_description@v1", model="sandbox-writer-1")

    assert warehouse.execute("SELECT passed FROM ops.evaluation").fetchall() == [(False,)]


def test_the_risk_level_of_the_template_picks_the_model(evaluate: Any, warehouse: psycopg.Connection) -> None:
    with pytest.raises(AirflowFailException, match="got no answer"):
        evaluate(template="faq_answers@v1")

    [[model, report]] = warehouse.execute("SELECT model, report FROM ops.evaluation").fetchall()
    assert model == "sandbox-writer-9"
    assert report["unanswered_because"] == ["include/prices.yaml has no price for the model"]


def test_the_form_s_model_is_asked_whatever_the_connection_says(evaluate: Any, warehouse: psycopg.Connection) -> None:
    returned, _ = evaluate(template="meta_description@v1", model="sandbox-writer-1-mini")

    assert returned["model"] == "sandbox-writer-1-mini"
    assert warehouse.execute("SELECT DISTINCT model FROM ops.llm_call").fetchall() == [("sandbox-writer-1-mini",)]


def test_the_form_s_baseline_is_compared_with_else_the_newest_other_release(
    evaluate: Any, warehouse: psycopg.Connection
) -> None:
    named, _ = evaluate(template="lead_nurture@v3", baseline="lead_nurture@v1")
    left_empty, _ = evaluate(template="lead_nurture@v3")

    assert (named["baseline"], left_empty["baseline"]) == ("lead_nurture@v1", newest_release("lead_nurture@v3"))
    rows = warehouse.execute("SELECT report -> 'baseline_figures' ->> 'prompt_tokens_mean' FROM ops.evaluation").fetchall()
    assert len(set(rows)) == 2, "the figures are those of the baseline, not its name alone"


def test_the_form_of_the_dag_offers_what_the_operator_reads() -> None:
    params = dag_bag().dags["evaluate_prompt"].params

    assert set(params) == {"template", "model", "baseline"}
    assert (params["model"], params["baseline"]) == (None, None), "left empty: the connection's own, the newest release"
