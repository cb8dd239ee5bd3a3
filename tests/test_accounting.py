"""Nothing is dropped silently: everyone of a night stands somewhere, person by person, or it is red and names them."""

from typing import Any

import psycopg
import pytest

from nurture.ledger.accounting import balance
from nurture.scorecard.delivery import undelivered_reason
from quality_night import DAY, add_copy, add_message, add_person

CAMPAIGN = "lead_nurture"


@pytest.fixture
def night(warehouse: psycopg.Connection) -> psycopg.Connection:
    """Eleven people, each standing somewhere else, as a finished night leaves them."""
    add_copy(warehouse, "model")
    add_copy(warehouse, "static", origin="static")
    states = ["confirmed", "suppressed", "rejected", "unknown", "superseded", "sent", "claimed", None]
    for number, state in enumerate(states):
        add_person(warehouse, number)
        add_message(warehouse, number, "model")
        if state:
            enter(warehouse, number, state)
    add_person(warehouse, 8, suppressed_reason="opted_out", arm=None)
    add_person(warehouse, 9, arm="none")
    add_person(warehouse, 10, suppressed_reason="already_sent_this_slot", arm=None)
    enter(warehouse, 10, "confirmed")
    return warehouse


def enter(connection: psycopg.Connection, number: int, state: str, *, reason: str = "a reason") -> None:
    """A row of the ledger."""
    connection.execute(
        """
        INSERT INTO ops.push_ledger (campaign, person_id, slot, state, reason, crm_id, message_id, copy_id, day,
                                     claim_token, run_id)
        VALUES ('lead_nurture', %s, 'week-2026-W47', %s, %s, 'c', 'm', 'model', %s, gen_random_uuid(), 'r')
        """,
        (f"p_{number}", state, reason, DAY),
    )


def holes(connection: psycopg.Connection) -> dict[str, tuple[str, ...]]:
    equation = balance(connection, campaign=CAMPAIGN, day=DAY.isoformat())
    return {hole.what: hole.person_ids for hole in equation.holes}


def test_everyone_of_a_finished_night_stands_somewhere(night: psycopg.Connection) -> None:
    equation = balance(night, campaign=CAMPAIGN, day=DAY.isoformat())

    assert equation.reason() is None
    assert equation.standings == {
        "confirmed": 2, "suppressed": 2, "rejected": 1, "unknown": 1, "superseded": 1, "waiting": 3, "holdout": 1,
    }  # fmt: skip
    assert equation.as_report()["people"] == sum(equation.standings.values()) == 11


@pytest.mark.parametrize(
    ("spoil", "what", "person_id"),
    [
        ("DELETE FROM ops.message WHERE person_id = 'p_0'", "to be written to and without a message", "p_0"),
        ("DELETE FROM marts.audience WHERE person_id = 'p_7'", "with a message and not in the audience", "p_7"),
        ("UPDATE marts.audience SET arm = NULL WHERE person_id = 'p_9'", "neither held back nor drawn into an arm", "p_9"),
        (
            "UPDATE marts.audience SET arm = 'none' WHERE person_id = 'p_1'",
            "with a message although drawn to get none",
            "p_1",
        ),
        (
            "UPDATE marts.audience SET suppressed_reason = 'opted_out' WHERE person_id = 'p_0'",
            "with a message although held back before the push",
            "p_0",
        ),
        ("UPDATE ops.message SET slot = 'week-2026-W01' WHERE person_id = 'p_7'", "with a message of another slot", "p_7"),
        (
            "UPDATE ops.push_ledger SET reason = ' ' WHERE person_id = 'p_2'",
            "without words for where their message is",
            "p_2",
        ),
        (
            "ALTER TABLE ops.push_ledger DROP CONSTRAINT push_ledger_state_check;"
            "UPDATE ops.push_ledger SET state = 'lost' WHERE person_id = 'p_4'",
            "in a state of the ledger that nobody knows: lost",
            "p_4",
        ),
    ],
)
def test_one_person_who_is_not_accounted_for_is_found_and_named(
    night: psycopg.Connection, spoil: str, what: str, person_id: str
) -> None:
    night.execute(spoil.encode())

    assert holes(night) == {what: (person_id,)}


def test_a_message_on_its_way_that_no_night_has_any_more_is_a_hole_and_a_settled_one_is_history(
    night: psycopg.Connection,
) -> None:
    night.execute("DELETE FROM ops.message WHERE person_id IN ('p_0', 'p_3')")
    night.execute("DELETE FROM marts.audience WHERE person_id IN ('p_0', 'p_3')")

    assert holes(night) == {"with a message on its way that no night has any more": ("p_3",)}


def test_two_faults_that_cancel_out_in_the_counts_are_both_found(night: psycopg.Connection) -> None:
    night.execute("UPDATE ops.message SET person_id = 'p_99' WHERE person_id = 'p_0'")

    assert holes(night) == {
        "to be written to and without a message": ("p_0",),
        "with a message and not in the audience": ("p_99",),
    }


def test_the_reason_has_the_count_and_ids_and_what_to_do(night: psycopg.Connection) -> None:
    night.execute("DELETE FROM ops.message WHERE person_id IN ('p_0', 'p_1', 'p_2', 'p_4', 'p_5', 'p_6')")

    reason = balance(night, campaign=CAMPAIGN, day=DAY.isoformat()).reason() or ""

    assert reason.startswith("6 of 11 people are not accounted for: 6 to be written to")
    assert "(p_0, p_1, p_2, p_4, p_5, …)" in reason and "Clear select_audience" in reason


@pytest.mark.parametrize(
    ("states", "is_red"),
    [
        ({"confirmed": 14, "rejected": 1}, False),
        ({"confirmed": 13, "rejected": 2}, False),
        ({"confirmed": 12, "rejected": 2, "waiting": 1}, True),
        ({"rejected": 1}, True),
        ({"confirmed": 97, "rejected": 3}, False),
        ({"confirmed": 94, "rejected": 6}, True),
        ({}, False),
    ],
)
def test_a_small_night_is_not_red_for_one_refused_contact_unless_nobody_was_reached(
    states: dict[str, int], is_red: bool
) -> None:
    report: dict[str, Any] = {"push": {"messages": states}}

    assert (undelivered_reason(report, share_max=0.05, count_min=3) is not None) is is_red
