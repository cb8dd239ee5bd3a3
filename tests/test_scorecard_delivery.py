"""A night whose messages reached nobody is red, with the counts; a few refused ones are shown."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from airflow.sdk.exceptions import AirflowFailException

from nurture.operators.report_run import ReportRunOperator
from nurture.scorecard.night import night_report
from nurture.warehouse.dead_letter import DeadLetter, bury
from quality_night import DAY, add_copy, add_message, add_person, judge

pytestmark = pytest.mark.slow  # Great Expectations takes seconds

NIGHT = {"dag_id": "lead_nurture", "run_id": "scheduled__2026-11-21T02:00:00+00:00"}


@pytest.fixture
def night(warehouse: psycopg.Connection, warehouse_url: str, monkeypatch: pytest.MonkeyPatch) -> psycopg.Connection:
    """A campaign's night of twenty messages, its gates passed, nothing pushed yet."""
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", warehouse_url)
    add_copy(warehouse, "model")
    add_copy(warehouse, "static", origin="static")
    for number in range(20):
        add_person(warehouse, number)
        add_message(warehouse, number, "model")
    judge(warehouse, "marts.audience", "ops.message", campaign="lead_nurture")
    warehouse.execute("UPDATE ops.gate_result SET dag_id = 'lead_nurture'")
    return warehouse


def push(connection: psycopg.Connection, numbers: range, state: str, *, days_ago: int = 0) -> None:
    """What a push left in the ledger of these people's slots."""
    connection.execute(
        """
        INSERT INTO ops.push_ledger (campaign, person_id, slot, state, reason, crm_id, message_id, copy_id, day, claim_token,
                                     run_id)
        SELECT 'lead_nurture', 'p_' || number, 'week-2026-W47', %s, 'a reason', number, 'm_' || number, 'model', %s,
               gen_random_uuid(), %s
        FROM unnest(%s::int[]) AS number
        """,
        (state, DAY - timedelta(days=days_ago), NIGHT["run_id"], list(numbers)),
    )


def report_run(connection: psycopg.Connection, *, dry_run: bool = False, **states: str) -> dict[str, str]:
    """Run the last step of the night; `states`: how earlier steps ended."""
    connection.commit()
    operator = ReportRunOperator(task_id="report_run", day=DAY.isoformat(), campaign="lead_nurture")
    ti = SimpleNamespace(task_id="report_run", get_task_states=lambda **_: {NIGHT["run_id"]: states})
    context: Any = {"ti": ti, "dag": SimpleNamespace(dag_id=NIGHT["dag_id"]), "run_id": NIGHT["run_id"]}
    return operator.execute(context | {"params": {"dry_run": dry_run}})


def kept(connection: psycopg.Connection) -> tuple[str, dict[str, Any]]:
    """Outcome and report as kept."""
    row = connection.execute("SELECT outcome, report FROM ops.run_report").fetchone()
    assert row is not None
    return row[0], row[1]


def test_a_night_whose_messages_were_all_rejected_is_red_and_says_where_to_look(night: psycopg.Connection) -> None:
    push(night, range(20), "rejected")

    with pytest.raises(AirflowFailException, match=r"20 of 20 messages .*: 20 rejected\. See ops\.dead_letter"):
        report_run(night)

    outcome, report = kept(night)
    assert (outcome, report["push"]["messages"]) == ("failed", {"rejected": 20})
    assert "20 rejected" in report["reason"]


def test_the_dead_letter_of_a_message_that_arrived_since_is_resolved_with_words(night: psycopg.Connection) -> None:
    push(night, range(20), "confirmed")
    bury(night, [DeadLetter("crm.push", f"lead_nurture/p_{number}/week-2026-W47", "refused") for number in (1, 99)])

    report_run(night)

    found = night.execute(
        "SELECT key, resolution FROM ops.dead_letter WHERE resolved_at IS NOT NULL ORDER BY key"
    ).fetchall()
    assert found[0] == ("lead_nurture/p_1/week-2026-W47", "confirmed: a reason")


def test_the_share_itself_is_shown_and_is_not_red(night: psycopg.Connection) -> None:
    push(night, range(19), "confirmed")
    push(night, range(19, 20), "rejected")

    said = report_run(night)

    assert said == {"outcome": "completed"}
    assert kept(night)[1]["push"]["messages"] == {"confirmed": 19, "rejected": 1}


def test_unknown_and_waiting_messages_count_as_undelivered(night: psycopg.Connection) -> None:
    push(night, range(17), "confirmed")
    push(night, range(17, 18), "unknown")
    push(night, range(18, 19), "sent")

    with pytest.raises(AirflowFailException, match=r"3 of 20 messages .* \(15\.0%, .*: 1 unknown, 2 waiting\."):
        report_run(night)


def test_suppressed_and_superseded_messages_are_right_outcomes(night: psycopg.Connection) -> None:
    push(night, range(10), "suppressed")
    push(night, range(10, 20), "superseded")

    assert report_run(night) == {"outcome": "completed"}


def test_a_dry_run_says_so_and_is_not_red_because_nobody_got_anything(night: psycopg.Connection) -> None:
    report_run(night, dry_run=True)

    outcome, report = kept(night)
    assert (outcome, report["push"]["messages"]) == ("completed", {"waiting": 20})
    assert report["kind"] == "dry run: nothing was claimed, nothing was written to the CRM"


def test_a_message_that_waits_for_a_person_is_not_overdue(night: psycopg.Connection) -> None:
    push(night, range(10), "confirmed")
    night.execute("UPDATE ops.message SET lane = 'approval' WHERE person_id NOT IN (SELECT person_id FROM ops.push_ledger)")

    assert report_run(night) == {"outcome": "completed"}
    assert kept(night)[1]["push"]["messages"] == {"confirmed": 10, "waiting for a person": 10}


def test_a_second_run_of_the_night_counts_what_the_first_delivered(night: psycopg.Connection) -> None:
    push(night, range(19), "confirmed")
    push(night, range(19, 20), "rejected")
    night.execute("UPDATE marts.audience SET suppressed_reason = 'already_sent_this_slot' WHERE person_id <> 'p_19'")
    night.execute("DELETE FROM ops.message WHERE person_id <> 'p_19'")

    assert report_run(night) == {"outcome": "completed"}


def test_what_other_nights_delivered_does_not_hide_a_night_that_delivered_nothing(night: psycopg.Connection) -> None:
    push(night, range(19), "confirmed", days_ago=1)
    push(night, range(19, 20), "rejected")
    night.execute("DELETE FROM ops.message WHERE person_id <> 'p_19'")

    with pytest.raises(AirflowFailException, match="1 of 1 messages"):
        report_run(night)


def test_a_gate_that_could_not_judge_is_named_with_its_check(night: psycopg.Connection) -> None:
    night.execute("UPDATE ops.gate_result SET status = 'error', detail = 'no such column.' WHERE check_name = 'copy_clean'")

    with pytest.raises(AirflowFailException, match=r"These steps failed: gate_copy; .* gate_under_test: no such column\."):
        report_run(night, gate_copy="failed")


def test_a_step_that_failed_before_a_gate_is_not_blamed_on_what_the_gate_found_last_time(night: psycopg.Connection) -> None:
    night.execute("UPDATE ops.gate_result SET status = 'fail' WHERE check_name = 'copy_clean'")

    with pytest.raises(AirflowFailException, match=r"steps failed: assign_arms, gate_under_test; their logs say why\.$"):
        report_run(night, assign_arms="failed", gate_under_test="upstream_failed")


def test_calls_in_flight_are_neither_failed_nor_forgotten(night: psycopg.Connection) -> None:
    for status in ("ok", "timeout", "in_flight"):
        night.execute(
            "INSERT INTO ops.llm_call (dag_id, run_id, campaign, request_hash, template_id, template_version, model,"
            " attempt, status, cost_usd, latency_ms)"
            " VALUES ('lead_nurture', %s, 'lead_nurture', 'x', 't', 1, 'm', 1, %s, 1, 0)",
            (NIGHT["run_id"], status),
        )

    model = night_report(night, **NIGHT, day=str(DAY))["model"]

    assert (model["calls"], model["failed_calls"], model["calls_without_outcome"], model["cost_usd"]) == (3, 1, 1, 3)


def test_what_did_not_pass_comes_first_then_what_was_promised(night: psycopg.Connection) -> None:
    night.execute("DELETE FROM ops.gate_result")
    order = [
        "undeliverable",
        "visitor_id",
        "missing_user_ids",
        "duplicate_contacts",
        "event_change",
        "ga4_schema_lock",
        "a_check",
    ]
    for name, status in zip(reversed(order), ["pass"] * 5 + ["warn", "fail"], strict=True):
        night.execute(
            "INSERT INTO ops.gate_result (dag_id, run_id, gate, check_name, day, table_name, severity, status, detail)"
            " VALUES (%(dag_id)s, %(run_id)s, 'g', %(name)s, %(day)s, 't', 'stop', %(status)s, 'd')",
            {**NIGHT, "name": name, "status": status, "day": DAY},
        )
    from nurture.scorecard.queries import gate_results

    report = night_report(night, **NIGHT, day=str(DAY))

    assert [row["check"] for row in report["gates"]] == order
    assert [row["check_name"] for row in gate_results(night, **NIGHT)["g"]] == order


def test_a_night_that_lost_sight_of_one_person_is_red_and_names_them(night: psycopg.Connection) -> None:
    push(night, range(19), "confirmed")
    night.execute("DELETE FROM ops.message WHERE person_id = 'p_19'")

    with pytest.raises(AirflowFailException, match=r"1 of 20 people are not accounted for: 1 to be written to .* \(p_19\)"):
        report_run(night)

    outcome, report = kept(night)
    assert (outcome, report["accounting"]["confirmed"], report["accounting"]["people"]) == ("failed", 19, 20)
