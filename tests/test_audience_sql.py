"""Who qualifies for a message and which arm they get, decided in SQL over the whole audience."""

from datetime import datetime, timedelta

import psycopg
import pytest

from audience_night import NIGHT, WEEK, draw, leads, select
from dags_under_test import statements_of
from nurture.warehouse.statements import statement
from warehouse_rows import DAY, add_contact, add_event, at, merge_contacts, person_of, resolve


def test_a_lead_who_filled_a_form_qualifies_once_with_the_week_as_slot(warehouse: psycopg.Connection) -> None:
    add_contact(warehouse, "1")
    add_event(warehouse, 1, "form_submit", user_id="u-1")
    add_event(warehouse, 2, "form_submit", user_id="u-1", event_at=at(DAY, 13))
    add_contact(warehouse, "2")
    add_event(warehouse, 3, "page_view", user_id="u-2")

    assert select(warehouse) == [("1", WEEK, "form_submit", None)]
    row = warehouse.execute("SELECT trigger_row_number FROM marts.audience").fetchone()
    assert row == (1,), "a repeat within the debounce time is the same trigger, its first event"


def test_a_trigger_older_than_the_reread_window_is_not_answered(warehouse: psycopg.Connection) -> None:
    add_contact(warehouse, "1")
    add_event(warehouse, 1, "form_submit", day=DAY - timedelta(days=4), user_id="u-1")

    assert select(warehouse) == []


def test_an_anonymous_event_counts_for_the_person_known_on_the_device(warehouse: psycopg.Connection) -> None:
    add_contact(warehouse, "1")
    add_event(warehouse, 1, "login", user_id="u-1", user_pseudo_id="device")
    add_event(warehouse, 2, "view_item", user_pseudo_id="device", product_id="LF-SCAN", product_name="Larkfield Scan")

    assert [row[:3] for row in select(warehouse)] == [("1", WEEK, "view_item")]
    assert warehouse.execute("SELECT context ->> 'recent_product' FROM marts.audience").fetchone() == ("LF-SCAN",)


def test_a_drawn_arm_stays_and_the_shares_come_out(warehouse: psycopg.Connection) -> None:
    for number in range(400):
        add_contact(warehouse, str(number))
        add_event(warehouse, number, "form_submit", user_id=f"u-{number}")
    select(warehouse)

    draw(warehouse)
    first = dict(warehouse.execute("SELECT arm, count(*) FROM marts.audience GROUP BY 1").fetchall())
    draw(warehouse, ai_share=0.0, static_share=0.0)
    second = dict(warehouse.execute("SELECT arm, count(*) FROM marts.audience GROUP BY 1").fetchall())

    assert first == second
    assert 240 <= first["ai"] <= 320 and 50 <= first["static"] <= 115 and 15 <= first["none"] <= 70


def test_who_may_not_be_written_to_any_more_loses_the_arm(warehouse: psycopg.Connection) -> None:
    leads(warehouse, "1")
    select(warehouse)
    assert draw(warehouse, ai_share=1.0, static_share=0.0) == {"1": "ai"}
    warehouse.execute("UPDATE marts.audience SET suppressed_reason = 'suppression_list'")

    assert draw(warehouse) == {"1": None}


def test_a_night_run_again_gives_the_same_audience(warehouse: psycopg.Connection) -> None:
    add_contact(warehouse, "1")
    add_event(warehouse, 1, "form_submit", user_id="u-1")

    assert select(warehouse) == select(warehouse)
    assert person_of(warehouse, "crm_id", "1") is not None


def test_nobody_has_an_arm_before_consent_was_looked_at(warehouse: psycopg.Connection) -> None:
    leads(warehouse, "1")
    select(warehouse)
    draw(warehouse)
    warehouse.execute("UPDATE marts.audience SET consent_basis = NULL, suppressed_reason = NULL, arm = NULL")
    leads(warehouse, "2")
    resolve(warehouse)
    warehouse.execute(
        """
        INSERT INTO marts.audience (campaign, day, person_id, slot, crm_id, trigger_event, trigger_at, trigger_event_day,
                                    trigger_row_number, context)
        SELECT campaign, day, %s, slot, '2', trigger_event, trigger_at, trigger_event_day, 2, context FROM marts.audience
        """,
        (person_of(warehouse, "crm_id", "2"),),
    )

    assert draw(warehouse) == {"1": None, "2": None}
    assert warehouse.execute("SELECT count(*) FROM ops.assignment").fetchone() == (1,)


def test_a_survivor_keeps_an_arm_of_their_own_else_takes_the_earliest_of_those_merged(warehouse: psycopg.Connection) -> None:
    leads(warehouse, "1", "2", "3", "4", "5")
    resolve(warehouse)
    for crm_id, arm, drawn_on in (
        ("2", "static", DAY),
        ("3", "none", DAY - timedelta(days=9)),
        ("4", "ai", DAY),
        ("5", "none", DAY),
    ):
        warehouse.execute(
            "INSERT INTO ops.assignment VALUES ('lead_nurture', %s, %s, %s)",
            (person_of(warehouse, "crm_id", crm_id), arm, drawn_on),
        )
    for survivor, loser in (("1", "2"), ("1", "3"), ("4", "5")):
        merge_contacts(warehouse, survivor, loser)
    select(warehouse)

    arms = draw(warehouse, ai_share=0.0, static_share=1.0)

    assert arms == {"1": "none", "4": "ai"}


def trigger_times(connection: psycopg.Connection, event_times: list[datetime]) -> list[datetime]:
    """The trigger of lead_nurture for one person who looked at a product at these times."""
    add_contact(connection, "1")
    for number, event_at in enumerate(event_times):
        add_event(connection, number, "view_item", day=event_at.date(), user_id="u-1", event_at=event_at)
    select(connection)
    return [row[0] for row in connection.execute("SELECT trigger_at FROM marts.audience").fetchall()]


def test_somebody_active_every_day_has_a_trigger(warehouse: psycopg.Connection) -> None:
    first = at(DAY - timedelta(days=10), 6)

    times = trigger_times(warehouse, [first + timedelta(hours=20) * number for number in range(12)])

    assert times == [first + timedelta(hours=200)], "bursts of 20 h steps begin every 40 h: at 0, 40, … 200"


@pytest.mark.parametrize(
    ("minutes_after", "expected"),
    [([0], 0), ([0, 1439], 0), ([0, 1440], 1440), ([0, 1439, 1441], 1441), ([0, 1000, 2000, 2500], 2000)],
)
def test_a_burst_ends_a_debounce_time_after_its_first_event(
    warehouse: psycopg.Connection, minutes_after: list[int], expected: int
) -> None:
    first = at(DAY - timedelta(days=2), 1)

    times = trigger_times(warehouse, [first + timedelta(minutes=minutes) for minutes in minutes_after])

    assert times == [first + timedelta(minutes=expected)]


def test_a_repeat_of_a_burst_that_began_before_the_last_four_days_is_no_trigger(warehouse: psycopg.Connection) -> None:
    began = at(DAY - timedelta(days=4), 23)

    assert trigger_times(warehouse, [began, began + timedelta(hours=2)]) == []


def test_statistics_know_what_each_step_filled_in(warehouse: psycopg.Connection) -> None:
    leads(warehouse, "1", "2", consent_status="granted", consent_at="2026-01-01")
    select(warehouse)
    assert always_empty(warehouse) == {"consent_basis": False, "arm": True}

    values = {**NIGHT, "experiment": "lead_nurture", "ai_share": 0.7, "static_share": 0.3}
    for name in statements_of("lead_nurture", "assign_arms"):
        warehouse.execute(statement(name), values)

    assert always_empty(warehouse) == {"consent_basis": False, "arm": False}


def always_empty(warehouse: psycopg.Connection) -> dict[str, bool]:
    """By column, whether the planner takes it for empty: then it loops over all pairs of people."""
    query = (
        "SELECT attname, null_frac = 1 FROM pg_stats"
        " WHERE schemaname = 'marts' AND tablename = 'audience' AND attname IN ('arm', 'consent_basis')"
    )
    return dict(warehouse.execute(query).fetchall())
