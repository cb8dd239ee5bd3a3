"""The operator in mode batch and its trigger, through Airflow connections."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from batch_night import MODELS, BatchNight
from copy_night import CAMPAIGN, DAY, FALLBACK, TEMPLATE

from nurture.copywriting.switch import set_switch

pytestmark = [pytest.mark.airflow]

Invite = Callable[..., None]


@pytest.fixture
def night(batch_night: BatchNight, invite: Invite, warehouse_url: str, monkeypatch: pytest.MonkeyPatch) -> BatchNight:
    """Two contexts, and the connections by which the operator finds warehouse and vendor."""
    invite({"industry": "retail"}, people=2)
    invite({"industry": "healthcare"})
    url = urlsplit(warehouse_url)
    warehouse = {"conn_type": "postgres", "host": url.hostname, "port": url.port, "login": url.username,
                 "schema": url.path[1:]}  # fmt: skip
    server = batch_night.server
    llm = {"conn_type": "openai", "host": server.url if batch_night.vendor == "openai" else server.root,
           "password": server.api_key,
           "extra": {"vendor": batch_night.vendor, "model": MODELS[batch_night.vendor]}}  # fmt: skip
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps(warehouse))
    monkeypatch.setenv("AIRFLOW_CONN_LLM", json.dumps(llm))
    return batch_night


def operator(mode: str = "batch") -> Any:
    from nurture.operators.generate_copy import GenerateCopyOperator

    return GenerateCopyOperator(
        task_id="generate_copy", campaign=CAMPAIGN, template=TEMPLATE, fallback_template=FALLBACK, day=DAY, mode=mode
    )


CONTEXT: Any = {"dag": SimpleNamespace(dag_id=CAMPAIGN), "run_id": "manual__1"}


def deferred(mode: str = "batch") -> Any:
    """What the operator waits for."""
    from airflow.sdk.exceptions import TaskDeferred

    with pytest.raises(TaskDeferred) as waiting:
        operator(mode).execute(CONTEXT)
    return waiting.value


def fired(trigger: Any) -> dict[str, Any]:
    """The payload with which a trigger comes back, after it went to the triggerer and was built anew there."""
    from importlib import import_module

    path, kwargs = trigger.serialize()
    module, name = path.rsplit(".", 1)
    there = getattr(import_module(module), name)(**json.loads(json.dumps(kwargs)))

    async def first() -> dict[str, Any]:
        async with asyncio.timeout(30):
            return (await anext(there.run())).payload

    return asyncio.run(first())


def test_the_task_gives_its_worker_back_and_goes_on_when_the_batch_has_ended(night: BatchNight) -> None:
    night.behave(seconds=3600)
    waiting = deferred()
    night.behave(seconds=0)

    event = fired(waiting.trigger)
    counts = getattr(operator(), waiting.method_name)(CONTEXT, event)

    assert event == {"why": "a batch has ended"}
    assert (counts["clear"], counts["audience"], len(night.at_vendor())) == (2, 3, 1)
    assert night.rows("SELECT count(*) FROM ops.message") == [(3,)]


@pytest.fixture
def dag() -> Any:
    """The DAG, known to Airflow's own database in the session's AIRFLOW_HOME."""
    subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], check=True, capture_output=True)
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db

    DagBundlesManager().sync_bundles_to_db()
    bag = DagBag(str(Path(__file__).with_name("batch_dag.py")))
    sync_bag_to_db(bag, "dags-folder", None)
    return bag.dags["copy_in_batches"]


@pytest.mark.parametrize("batch_night", ["openai"], indirect=True)
def test_airflow_runs_the_wait_and_the_rest(night: BatchNight, dag: Any) -> None:
    night.behave(seconds=8)

    run = dag.test()

    [ti] = run.get_task_instances()
    assert (ti.state, ti.trigger_id is not None, len(night.at_vendor())) == ("success", True, 1)
    assert night.rows("SELECT state, ended_at - submitted_at > interval '3 seconds' FROM ops.llm_batch") == [
        ("harvested", True)
    ]
    assert night.rows("SELECT count(*) FROM ops.message") == [(3,)]


def test_the_switch_ends_the_wait(night: BatchNight) -> None:
    night.behave(seconds=3600)
    waiting = deferred()
    set_switch(night.connection, "ai_personalization", "*", is_on=False, changed_by="test")
    night.connection.commit()

    event = fired(waiting.trigger)
    counts = operator().resume(CONTEXT, event)

    assert event == {"why": "the switch is off"}
    assert (counts["static"], counts["switched_off"]) == (3, True)
    assert [batch["cancel_asked"] for batch in night.at_vendor()] == [True]


@pytest.mark.parametrize("vendor_ids", [[], ["batch_of_nobody"]])
def test_the_wait_ends_in_time_whatever_the_vendor_says(night: BatchNight, vendor_ids: list[str]) -> None:
    from nurture.triggers.llm_batch import LlmBatchTrigger

    until = datetime.now(UTC) + timedelta(milliseconds=200)

    event = fired(LlmBatchTrigger(vendor_ids=vendor_ids, until=until.isoformat(), campaign=CAMPAIGN, poll_seconds=0.05))

    assert event == {"why": "it is time to look again"}
    assert datetime.now(UTC) >= until


def test_a_vendor_that_is_down_does_not_end_the_wait(night: BatchNight, monkeypatch: pytest.MonkeyPatch) -> None:
    night.behave(seconds=3600)
    waiting = deferred()
    llm = {"conn_type": "openai", "host": "http://127.0.0.1:9/v1", "password": "k", "extra": {"vendor": night.vendor}}
    monkeypatch.setenv("AIRFLOW_CONN_LLM", json.dumps(llm))
    waiting.trigger.until = (datetime.now(UTC) + timedelta(milliseconds=200)).isoformat()

    assert fired(waiting.trigger) == {"why": "it is time to look again"}


def test_the_wait_ends_with_the_first_batch_that_has_ended(night: BatchNight) -> None:
    night.behave(seconds=3600)
    waiting = deferred()
    night.behave(seconds=0)
    waiting.trigger.vendor_ids.insert(0, "batch_of_nobody")

    assert fired(waiting.trigger) == {"why": "a batch has ended"}


def test_a_warehouse_that_is_down_for_a_moment_does_not_end_the_wait(
    night: BatchNight, monkeypatch: pytest.MonkeyPatch
) -> None:
    night.behave(seconds=3600)
    waiting = deferred()
    night.behave(seconds=0)
    nobody = {"conn_type": "postgres", "host": "127.0.0.1", "port": 9, "login": "nobody", "schema": "nothing"}
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps(nobody))

    assert fired(waiting.trigger) == {"why": "a batch has ended"}


def test_a_task_whose_mode_was_changed_to_calls_waits_for_the_batch_that_is_out(night: BatchNight) -> None:
    night.behave(seconds=3600)
    deferred()
    waiting = deferred("calls")
    night.behave(seconds=0)

    counts = operator("calls").resume(CONTEXT, fired(waiting.trigger))

    assert (counts["clear"], len(night.at_vendor())) == (2, 1)
    assert night.rows("SELECT count(*) FROM ops.llm_call WHERE batch_key IS NULL") == [(0,)]
