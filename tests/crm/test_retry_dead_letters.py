"""The DAG `retry_dead_letters` on a real CRM: chosen rows are tried again, answers are kept, nobody is written to twice."""

from inspect import signature
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from airflow.sdk.exceptions import AirflowFailException
from campaign_night import (
    CAMPAIGN,
    DAY,
    MESSAGE_ID,
    SLOT,
    add_messages,
    merge,
    most_writes,
    prepare,
    push,
    push_letters,
    states,
)

from dags_under_test import FOLDER, dag_bag
from nurture.errors import TerminalError
from nurture.hooks.hubspot import HubSpotHook
from nurture.operators.push_to_crm import PushToCrmOperator
from nurture.operators.retry_dead_letters import push_step
from nurture.policy import Crm
from sandbox.crm.server import RunningCrm

pytestmark = pytest.mark.slow  # whole pushes to the CRM over HTTP

UPDATE = "/batch/update$"


@pytest.fixture
def retry(warehouse: psycopg.Connection, warehouse_url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run the DAG's task with some of its Params, as its form would."""
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", warehouse_url)
    dag = dag_bag().dags["retry_dead_letters"]

    def run(run_id: str = "manual__1", **given: Any) -> Any:
        warehouse.commit()
        params = {name: param.value for name, param in dag.params.items()} | given
        context: Any = {
            "params": params, "dag": SimpleNamespace(dag_id=dag.dag_id), "run_id": run_id,
            "dag_run": SimpleNamespace(triggering_user_name="robin"),
        }  # fmt: skip
        return dag.get_task("retry_dead_letters").execute(context)

    return run


def refused_night(warehouse: psycopg.Connection, crm: RunningCrm, hook: HubSpotHook, policy: Crm, people: int) -> None:
    """A night whose messages the CRM refused one by one."""
    prepare(warehouse, crm, hook, people)
    crm.fault(UPDATE, status=409, times=2 * people)
    push(warehouse, hook, policy.model_copy(update={"batch_size": 1, "push_workers": 1}))
    crm.admin("faults", method="DELETE")
    assert states(warehouse) == {"rejected": people}


def answers(warehouse: psycopg.Connection) -> dict[int, tuple[str, str]]:
    rows = warehouse.execute(
        "SELECT dead_letter_id, outcome, words FROM ops.dead_letter_retry ORDER BY asked_at, dead_letter_id"
    ).fetchall()
    warehouse.commit()
    return {dead_letter_id: (outcome, words) for dead_letter_id, outcome, words in rows}


def letter_of(warehouse: psycopg.Connection, person_id: str) -> int:
    row = warehouse.execute(
        "SELECT dead_letter_id FROM ops.dead_letter WHERE key = %s", (f"{CAMPAIGN}/{person_id}/{SLOT}",)
    ).fetchone()
    warehouse.commit()
    assert row is not None
    return int(row[0])


def test_chosen_messages_of_a_night_that_is_over_are_pushed_once_and_the_others_are_left(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm, retry: Any
) -> None:
    refused_night(warehouse, crm, hook, crm_policy, 3)
    chosen = [letter_of(warehouse, "p0001"), letter_of(warehouse, "p0003")]

    said = retry(ids=chosen, note="merged the twins")

    assert said == {"mended": 2}
    assert states(warehouse) == {"confirmed": 2, "rejected": 1}
    assert [is_open for _, is_open in sorted(push_letters(warehouse).items())] == [False, True, False]
    assert most_writes(crm) == 1
    row = warehouse.execute("SELECT DISTINCT asked_by, note, outcome FROM ops.dead_letter_retry").fetchall()
    assert row == [("robin", "merged the twins", "mended")]


def test_the_same_run_again_and_a_later_one_push_nothing_twice(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm, retry: Any
) -> None:
    refused_night(warehouse, crm, hook, crm_policy, 2)
    retry()

    again, later = retry(), retry(run_id="manual__2")

    assert (again, later) == ({}, {})
    assert most_writes(crm) == 1 and len(crm.writes(MESSAGE_ID)) == 2
    assert warehouse.execute("SELECT count(*) FROM ops.dead_letter_retry").fetchone() == (2,)


def test_one_that_is_refused_again_stops_nobody_and_keeps_the_vendors_words(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm, retry: Any
) -> None:
    refused_night(warehouse, crm, hook, crm_policy, 3)
    crm.seed([{"id": 2, "properties": {}, "archived": True}])

    said = retry()

    assert said == {"mended": 2, "refused": 1}
    outcome, words = answers(warehouse)[letter_of(warehouse, "p0002")]
    assert (outcome, "left the CRM" in words) == ("refused", True)
    assert push_letters(warehouse)[f"{CAMPAIGN}/p0002/{SLOT}"] is True


def test_a_crm_that_is_down_leaves_the_letters_open_and_the_run_green(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm, retry: Any
) -> None:
    refused_night(warehouse, crm, hook, crm_policy, 2)
    crm.fault("/batch/read$", status=401)

    first = retry()
    second = retry(run_id="manual__2")

    assert (first, second) == ({"refused": 2}, {"mended": 2})
    assert most_writes(crm) == 1
    words = warehouse.execute("SELECT words FROM ops.dead_letter_retry WHERE run_id = 'manual__1'").fetchall()
    assert all("401" in row[0] for row in words)


def test_consent_that_was_withdrawn_since_settles_the_letter_without_a_push(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm, retry: Any
) -> None:
    refused_night(warehouse, crm, hook, crm_policy, 2)
    crm.seed([{"id": 1, "properties": {"consent_status": "granted", "hs_email_optout": "true"}}])

    said = retry()

    assert said == {"mended": 1, "settled": 1}
    assert answers(warehouse)[letter_of(warehouse, "p0001")] == (
        "settled", "suppressed: opted out in the CRM, as read right before the push",
    )  # fmt: skip
    assert not any(push_letters(warehouse).values())
    assert {write["contact_id"] for write in crm.writes(MESSAGE_ID)} == {"2"}


def test_a_message_that_a_later_night_overtook_is_not_pushed_any_more(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm, retry: Any
) -> None:
    refused_night(warehouse, crm, hook, crm_policy, 1)
    add_messages(warehouse, "2026-11-27", slot="week-2026-W48")
    push(warehouse, hook, crm_policy, day="2026-11-27", run_id="run-2")

    said = retry()

    assert said == {"settled": 1}
    state, reason = warehouse.execute("SELECT state, reason FROM ops.push_ledger WHERE slot = %s", (SLOT,)).fetchone() or (
        "",
        "",
    )
    assert state == "superseded" and "a later night" in reason
    assert len(crm.writes(MESSAGE_ID)) == 1


def test_merged_and_erased_people_need_nobody_any_more(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm, retry: Any
) -> None:
    refused_night(warehouse, crm, hook, crm_policy, 3)
    warehouse.execute("UPDATE marts.person SET merged_into = 'p0003', crm_id = NULL WHERE person_id = 'p0001'")
    warehouse.execute("DELETE FROM marts.person WHERE person_id = 'p0002'")

    said = retry()

    assert said == {"mended": 1}
    assert not any(push_letters(warehouse).values())
    rows = dict(warehouse.execute("SELECT split_part(key, '/', 2), resolution FROM ops.dead_letter").fetchall())
    assert rows["p0001"].startswith("the person was merged into p0003, where this slot is")
    assert "erased" in rows["p0002"]
    assert {write["contact_id"] for write in crm.writes(MESSAGE_ID)} == {"3"}


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        ("DELETE FROM ops.message", "has no message for the person any more"),
        ("UPDATE ops.message SET lane = 'approval'", "waits for a person's decision"),
        (
            "INSERT INTO ops.trusted_day (day, status, reason, run_id)"
            " VALUES ('2026-11-20', 'stopped', 'no user ids.', 'r')",
            "a gate stopped the day 2026-11-20: no user ids.",
        ),
        ("DELETE FROM ops.push_ledger", "the ledger has no such row"),
    ],
)
def test_what_cannot_be_pushed_again_says_why(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm, retry: Any, spoil: str, word: str
) -> None:
    refused_night(warehouse, crm, hook, crm_policy, 1)
    warehouse.execute(spoil.encode())

    said = retry()

    assert said == {"not_retried": 1}
    assert word in answers(warehouse)[letter_of(warehouse, "p0001")][1]
    assert (crm.writes(MESSAGE_ID), all(push_letters(warehouse).values())) == ([], True)


def test_a_contact_is_read_again_by_its_id_and_its_letter_closes(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm, retry: Any
) -> None:
    crm.seed([{"id": n, "properties": {"email": f"a{n}@example.com;b{n}@example.com"}} for n in (1, 2, 3, 4, 5)])
    retry_load(warehouse, hook, crm_policy)
    read_until = watermark(warehouse)
    crm.seed([{"id": n, "properties": {"email": f"a{n}@example.com"}} for n in (1, 4)])
    crm.seed([{"id": 3, "properties": {}, "archived": True}])
    merge(hook, survivor=5, loser=4)

    said = retry(source="hubspot.contacts")

    found = {key: answers(warehouse)[letter_id][0] for key, letter_id in contact_letters(warehouse).items()}
    assert said == {"mended": 1, "refused": 2, "not_retried": 1, "settled": 1}
    assert found == {"1": "mended", "2": "refused", "3": "not_retried", "4": "settled", "5": "refused"}
    assert warehouse.execute("SELECT email FROM staging.contacts WHERE crm_id = '1'").fetchone() == ("a1@example.com",)
    assert watermark(warehouse) == read_until


def retry_load(warehouse: psycopg.Connection, hook: HubSpotHook, policy: Crm) -> None:
    """A night's load of contacts."""
    from nurture.policy import load_policy
    from nurture.warehouse.crm_contacts import load_contacts

    load_contacts(warehouse, hook, policy, load_policy().consent, dag_id="customer_data", run_id="r", day=DAY)
    warehouse.commit()


def watermark(warehouse: psycopg.Connection) -> Any:
    return warehouse.execute("SELECT value FROM ops.watermark WHERE source = 'hubspot.contacts'").fetchone()


def contact_letters(warehouse: psycopg.Connection) -> dict[str, int]:
    rows = warehouse.execute("SELECT key, dead_letter_id FROM ops.dead_letter WHERE source = 'hubspot.contacts'").fetchall()
    warehouse.commit()
    return dict(rows)


def test_a_message_is_pushed_as_the_campaigns_own_steps_push_it() -> None:
    of_the_step_alone = {"self", "kwargs", "lane", "day", "campaign"}
    arguments = set(signature(PushToCrmOperator.__init__).parameters) - of_the_step_alone
    campaigns = {name: dag for name, dag in dag_bag().dags.items() if "campaign" in dag.tags}

    retried = {name: push_step(FOLDER, name) for name in campaigns}

    for name, dag in campaigns.items():
        for own in ("push_ready", "push_approved"):
            for argument in arguments:
                assert getattr(retried[name], argument) == getattr(dag.get_task(own), argument), f"{name}.{own}: {argument}"


def test_what_a_campaigns_file_chooses_holds_for_its_letters_too(tmp_path: Path) -> None:
    (tmp_path / "spring.py").write_text(
        """
from nurture.campaign import Arms, campaign  # builds an Airflow DAG

campaign(dag_id="spring", doc="# Spring", template="a@v1", fallback_template="b@v1", triggers=[], lifecycle_stages=[],
         arms=Arms(ai=0.5, static=0.4), freshness_days=3, outputs=("properties", "note"))
"""
    )

    step = push_step(tmp_path, "spring")

    assert (step.freshness_days, step.outputs) == (3, ("properties", "note"))


@pytest.mark.parametrize("name", ["set_switch", "a_campaign_that_was_removed"])
def test_what_has_no_campaigns_file_is_not_pushed(name: str) -> None:
    with pytest.raises(TerminalError, match=f"{name}.py, beside the file of this DAG, is missing or makes no campaign"):
        push_step(FOLDER, name)


def test_params_that_make_no_sense_retry_nothing(retry: Any) -> None:
    for given in ({"action": "give up", "ids": [1]}, {"source": "crm"}, {"ids": ["1; DROP TABLE"]}, {"limit": 0}):
        with pytest.raises(AirflowFailException, match="Nothing was tried again"):
            retry(**given)
