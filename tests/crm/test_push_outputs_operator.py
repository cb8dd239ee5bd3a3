"""The task of the push with notes and tasks chosen: what it returns, and how their dead letters are tried again."""

from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from campaign_night import CAMPAIGN, DAY, prepare
from output_night import on_timeline, output_states

from nurture.campaign import Arms, campaign
from nurture.dead_letters.letters import Asking, Choice
from nurture.dead_letters.messages import OUTPUT, push_again
from nurture.dead_letters.retry import retry
from nurture.errors import ConfigError
from nurture.hooks.hubspot import HubSpotHook
from nurture.operators.push_to_crm import PushToCrmOperator
from sandbox.crm.server import RunningCrm

pytestmark = pytest.mark.slow  # whole pushes to the CRM over HTTP

CONTEXT: Any = {"run_id": "run-1", "params": {}, "dag": SimpleNamespace(dag_id=CAMPAIGN)}


@pytest.fixture
def step(warehouse_url: str, crm: RunningCrm, monkeypatch: pytest.MonkeyPatch) -> PushToCrmOperator:
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", warehouse_url)
    return PushToCrmOperator(
        task_id="push_ready", campaign=CAMPAIGN, lane="ready", day=DAY, outputs=("properties", "note", "task")
    )


def test_the_task_pushes_the_messages_and_then_their_notes_and_tasks(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, step: PushToCrmOperator
) -> None:
    prepare(warehouse, crm, hook, 3, hubspot_owner_id="77")

    first = step.execute(CONTEXT)
    second = step.execute(CONTEXT)

    assert (first["pushed"], first["outputs"]["note"]["written"], first["outputs"]["task"]["written"]) == (3, 3, 3)
    assert (second["pushed"], second["already_sent"], second["outputs"]["note"]["already_written"]) == (0, 3, 3)
    assert len(on_timeline(crm)) == len(on_timeline(crm, "tasks")) == 3


def test_a_campaign_that_chose_only_the_draft_leaves_timelines_alone(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, step: PushToCrmOperator
) -> None:
    prepare(warehouse, crm, hook, 1)
    step.outputs = ("properties",)

    counts = step.execute(CONTEXT)

    assert (counts["pushed"], "outputs" in counts) == (1, False)
    assert {request["path"] for request in crm.admin("requests")["last"] if "notes" in request["path"]} == set()


def test_a_note_that_was_refused_is_tried_again_through_its_dead_letter(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, step: PushToCrmOperator
) -> None:
    prepare(warehouse, crm, hook, 2)
    crm.fault("notes/batch/create$", status=400, times=3)
    step.execute(CONTEXT)
    refused = output_states(warehouse)
    again: Any = {**CONTEXT, "run_id": "run-2"}

    answers = retry(
        warehouse,
        Asking("retry_dead_letters", "run-2", "robin"),
        Choice(),
        {
            "crm.note": lambda letters: push_again(
                warehouse, OUTPUT, letters, lambda night, persons: step.push(again, only=persons)
            )
        },
    )

    assert refused == {"rejected": 2}
    assert [answer.outcome for answer in answers.values()] == ["mended", "mended"]
    assert output_states(warehouse) == {"confirmed": 2}
    assert len(on_timeline(crm)) == 2


def test_a_campaign_file_with_a_wrong_output_does_not_parse() -> None:
    with pytest.raises(ConfigError, match="found 'letter', expected a sequence of: properties, note, task"):
        campaign(
            dag_id=CAMPAIGN, doc="# A campaign", template="a@v1", fallback_template="b@v1", triggers=[], lifecycle_stages=[],
            arms=Arms(ai=0.5, static=0.4), outputs=("properties", "letter"),  # type: ignore[arg-type]
        )  # fmt: skip
