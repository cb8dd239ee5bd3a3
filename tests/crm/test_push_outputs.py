"""Notes and tasks as outputs of a campaign: what they say, for whom they are written, and what the CRM may refuse."""

import time
from typing import Any

import psycopg
import pytest
from campaign_night import CAMPAIGN, DAY, add_copy, merge, unsubscribe
from output_night import confirmed_night, on_timeline, output_reason, output_states, write
from psycopg.types.json import Jsonb

from nurture.dead_letters.letters import settle
from nurture.errors import ConfigError, TerminalError
from nurture.hooks.hubspot import HubSpotHook
from nurture.ledger.accounting import account
from nurture.ledger.output_kinds import further_outputs
from nurture.policy import Crm, load_policy
from nurture.scorecard.night import night_report
from sandbox.crm.server import RunningCrm

pytestmark = pytest.mark.slow  # whole pushes to the CRM over HTTP

CREATE = "notes/batch/create$"


def use_copy(warehouse: psycopg.Connection, person_id: str, output: dict[str, str]) -> None:
    """The confirmed message of `person_id` says `output`."""
    copy_id = add_copy(warehouse, f"copy of {person_id}", output=output)
    warehouse.execute("UPDATE ops.push_ledger SET copy_id = %s WHERE person_id = %s", (copy_id, person_id))
    warehouse.commit()


def letters(warehouse: psycopg.Connection) -> list[tuple[str, str, bool]]:
    rows = warehouse.execute("SELECT source, key, resolved_at IS NULL FROM ops.dead_letter ORDER BY 1, 2").fetchall()
    warehouse.commit()
    return rows


def test_a_confirmed_message_gets_one_note_and_one_task_on_its_contact(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    timeline = confirmed_night(warehouse, crm, hook, 3, hubspot_owner_id="77")
    warehouse.execute("UPDATE ops.push_ledger SET state = 'unknown' WHERE person_id = 'p0003'")
    warehouse.commit()

    counts = write(warehouse, timeline, crm_policy, outputs=["note", "task"])

    notes, tasks = on_timeline(crm), on_timeline(crm, "tasks")
    assert (counts["note"]["written"], counts["note"]["batches"], counts["task"]["written"]) == (2, 1, 2)
    assert [note["contacts"] for note in notes] == [["1"], ["2"]] == [task["contacts"] for task in tasks]
    assert notes[0]["hs_note_body"] == (
        "<p><strong>Count less, Annika</strong></p><p>Made for Nordlicht. No {surprise}.</p><p>See how</p>"
        "<p><em>Draft of Nurture: campaign lead_nurture, template lead_nurture@v3</em></p>"
    )
    assert tasks[0]["hs_task_body"] == notes[0]["hs_note_body"]
    assert tasks[0]["hs_task_subject"] == "Follow up: Count less, Annika"
    assert (tasks[0]["hs_task_status"], tasks[0]["hs_task_priority"]) == ("NOT_STARTED", "MEDIUM")
    assert notes[0]["hubspot_owner_id"] == tasks[0]["hubspot_owner_id"] == "77"
    due_in_days = (int(tasks[0]["hs_timestamp"]) / 1000 - time.time()) / 86_400
    assert due_in_days == pytest.approx(load_policy().sales_tasks.due_days, abs=0.01)
    assert output_states(warehouse, "task") == {"confirmed": 2}


def test_the_row_keeps_the_vendors_id_and_a_second_run_asks_the_crm_for_nothing(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    timeline = confirmed_night(warehouse, crm, hook, 120)
    write(warehouse, timeline, crm_policy)
    kept = dict(warehouse.execute("SELECT output_key, record_id FROM ops.push_output").fetchall())
    warehouse.commit()
    crm.admin("requests", method="DELETE")

    again = write(warehouse, timeline, crm_policy, run_id="run-2")["note"]

    assert crm.admin("requests")["last"] == []
    assert (again["already_written"], again["written"], again["waiting"]) == (120, 0, 0)
    assert kept == {note["nurture_key"]: note["id"] for note in on_timeline(crm)}


def test_what_a_model_or_the_crm_says_never_becomes_markup(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    timeline = confirmed_night(warehouse, crm, hook, 1)
    body = 'First & <b>foremost</b>\nsecond line\n\n<script>alert("x")</script> for {company}'
    use_copy(warehouse, "p0001", {"headline": "<img src=x onerror='y'>", "body": body, "cta": "See\nhow"})
    warehouse.execute("UPDATE staging.contacts SET company = 'Nord & Süd'")
    warehouse.commit()

    write(warehouse, timeline, crm_policy, outputs=["note", "task"])

    [note] = on_timeline(crm)
    [task] = on_timeline(crm, "tasks")
    assert note["hs_note_body"].startswith(
        "<p><strong>&lt;img src=x onerror=&#x27;y&#x27;&gt;</strong></p>"
        "<p>First &amp; &lt;b&gt;foremost&lt;/b&gt;<br>second line</p>"
        "<p>&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; for Nord &amp; Süd</p><p>See<br>how</p>"
    )
    assert task["hs_task_body"] == note["hs_note_body"]


def test_who_said_no_since_the_message_or_is_gone_gets_neither(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    timeline = confirmed_night(warehouse, crm, hook, 4)
    unsubscribe(hook, 1, 101)
    hook._call("PATCH", "/crm/v3/objects/contacts/2", json={"properties": {"consent_status": "withdrawn"}})
    crm.admin("contacts", [{"id": 3, "properties": {"email": "p3@example.com"}, "archived": True}])

    counts = write(warehouse, timeline, crm_policy, outputs=["note", "task"])

    assert [(found["suppressed"], found["written"]) for found in counts.values()] == [(3, 1), (3, 1)]
    assert [note["contacts"] for note in on_timeline(crm)] == [["4"]]
    assert output_reason(warehouse, "p0001") == ("suppressed", "opted out since the message, so there is no note")
    assert output_reason(warehouse, "p0002", "task") == (
        "suppressed",
        "consent denied since the message, so there is no task",
    )
    assert "left the CRM" in output_reason(warehouse, "p0003")[1]


def test_who_shares_the_address_of_somebody_who_said_no_since_the_message_gets_none(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    timeline = confirmed_night(warehouse, crm, hook, 3)
    warehouse.execute("UPDATE staging.contacts SET email = 'both@example.com' WHERE crm_id IN ('1', '2')")
    warehouse.commit()
    unsubscribe(hook, 2, 101)

    counts = write(warehouse, timeline, crm_policy)

    assert (counts["note"]["suppressed"], counts["note"]["written"]) == (2, 1)
    assert [note["contacts"] for note in on_timeline(crm)] == [["3"]]
    assert output_reason(warehouse, "p0001") == (
        "suppressed",
        "another contact of the same address opted out or denied consent since the message, so there is no note",
    )


def test_the_note_of_a_contact_that_was_merged_since_goes_to_its_survivor(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    timeline = confirmed_night(warehouse, crm, hook, 2)
    merge(hook, survivor=1, loser=2)

    write(warehouse, timeline, crm_policy)

    assert [note["contacts"] for note in on_timeline(crm)] == [["1"], ["1"]]


def test_a_note_that_the_crm_refuses_is_a_dead_letter_until_it_is_mended(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    timeline = confirmed_night(warehouse, crm, hook, 5)
    use_copy(warehouse, "p0002", {"headline": "Long", "body": "x" * 66_000, "cta": "See"})
    use_copy(warehouse, "p0004", {"headline": "No call to action", "body": "Short"})

    counts = write(warehouse, timeline, crm_policy)["note"]
    state, reason = output_reason(warehouse, "p0002")
    refused = letters(warehouse)
    warehouse.execute(
        "UPDATE ops.copy SET output = output || %s WHERE output ->> 'headline' IN ('Long', 'No call to action')",
        (Jsonb({"body": "Mended", "cta": "See"}),),
    )
    warehouse.commit()
    mended = write(warehouse, timeline, crm_policy, run_id="run-2")["note"]
    settle(warehouse)

    assert (counts["written"], counts["rejected"], counts["batches"]) == (3, 2, 1)
    assert (state, "VALIDATION_ERROR" in reason, "xxx" in reason) == ("rejected", True, False)
    slot = "week-2026-W47"
    assert refused == [("crm.note", f"{CAMPAIGN}/{who}/{slot}", True) for who in ("p0002", "p0004")]
    assert (mended["written"], mended["already_written"]) == (2, 3)
    assert [is_open for _, _, is_open in letters(warehouse)] == [False, False]
    assert len(on_timeline(crm)) == 5


def test_a_batch_that_is_refused_as_a_whole_is_split(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    timeline = confirmed_night(warehouse, crm, hook, 8)
    crm.fault(CREATE, status=400, times=2)

    counts = write(warehouse, timeline, crm_policy)["note"]

    assert (counts["written"], counts["rejected"], counts["batches"]) == (8, 0, 5)
    assert len(on_timeline(crm)) == 8


def test_a_refusal_of_the_caller_lets_go_of_what_was_not_written(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    timeline = confirmed_night(warehouse, crm, hook, 2)
    crm.fault(CREATE, status=403, body={"category": "MISSING_SCOPES", "message": "no"})

    with pytest.raises(TerminalError, match="403 MISSING_SCOPES"):
        write(warehouse, timeline, crm_policy)
    between = output_reason(warehouse, "p0001")
    write(warehouse, timeline, crm_policy, run_id="run-2")

    assert between[0] == "claimed"
    assert between[1].startswith("not written: ")
    assert output_states(warehouse) == {"confirmed": 2}


def test_a_message_older_than_the_campaigns_freshness_gets_no_note_any_more(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    timeline = confirmed_night(warehouse, crm, hook, 2)
    warehouse.execute("UPDATE ops.push_ledger SET changed_at = changed_at - interval '8 days' WHERE person_id = 'p0001'")
    warehouse.commit()

    counts = write(warehouse, timeline, crm_policy)["note"]

    assert (counts["written"], counts["waiting"]) == (1, 0)
    assert [note["contacts"] for note in on_timeline(crm)] == [["2"]]


def test_the_report_and_the_accounting_count_every_output(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    timeline = confirmed_night(warehouse, crm, hook, 6)
    unsubscribe(hook, 2, 101)
    use_copy(warehouse, "p0003", {"headline": "No call to action", "body": "Short"})
    warehouse.execute("UPDATE ops.push_ledger SET changed_at = changed_at - interval '8 days' WHERE person_id = 'p0001'")
    warehouse.execute(
        "INSERT INTO ops.gate_result (dag_id, run_id, gate, check_name, day, table_name, severity, status, detail)"
        " VALUES (%s, 'run-1', 'gate_audience', 'a check', %s, 'marts.audience', 'stop', 'pass', '')",
        (CAMPAIGN, DAY),
    )
    warehouse.commit()

    write(warehouse, timeline, crm_policy, outputs=["note", "task"])

    expected = {"confirmed": 3, "rejected": 1, "suppressed": 1}
    report = night_report(warehouse, dag_id=CAMPAIGN, run_id="run-1", day=DAY)["push"]["outputs"]
    assert report == {"note": expected, "task": expected}
    everyone = expected | {"none": 1}
    assert account(warehouse, campaign=CAMPAIGN, day=DAY).outputs == {"note": everyone, "task": everyone}


def test_an_output_follows_its_message_when_the_persons_id_changes(
    crm: RunningCrm, warehouse: psycopg.Connection, hook: HubSpotHook, crm_policy: Crm
) -> None:
    timeline = confirmed_night(warehouse, crm, hook, 1)
    write(warehouse, timeline, crm_policy)
    warehouse.execute("UPDATE ops.push_ledger SET person_id = 'survivor'")
    warehouse.commit()

    counts = write(warehouse, timeline, crm_policy, run_id="run-2")["note"]

    assert (counts["already_written"], counts["written"]) == (1, 0)
    assert len(on_timeline(crm)) == 1


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        (("properties", "sms"), "found 'sms', expected a sequence of: properties, note, task"),
        ("note", "found 'note', expected a sequence of: properties, note, task"),
        (("note",), "expected 'properties' among them"),
        ((), "found nothing, expected 'properties' among them"),
    ],
)
def test_a_wrong_choice_of_outputs_names_the_right_ones(chosen: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        further_outputs(chosen)


def test_the_order_of_outputs_is_ours_and_the_properties_are_the_message_itself() -> None:
    assert further_outputs(("task", "properties", "note")) == ["note", "task"]
    assert further_outputs(("properties",)) == []
