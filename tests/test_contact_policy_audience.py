"""Contact policy over the audience, and again at the claim: suppression lists, the cap across campaigns, priority."""

from collections.abc import Callable
from hashlib import sha256

import psycopg
import pytest

from audience_night import NIGHT
from contact_policy_night import apply, at_the_claim, contact, lead_night, list_as, put_in_audience
from nurture.contact_policy.rules import higher
from nurture.ledger.attempt import NOBODY
from nurture.operators.apply_contact_policy import ApplyContactPolicyOperator
from nurture.policy import FrequencyCap
from nurture.warehouse.statements import statement
from warehouse_rows import DAY, add_contact, add_ledger_row, merge_contacts, person_of, resolve

pytestmark = pytest.mark.slow  # whole worlds in the warehouse

HASH = sha256(b"1@example.com").hexdigest()
LISTED = "on the suppression list competitors"
CAPPED = "had 3 messages in the last 7 days, of all campaigns; 3 are the most"
GIVES_WAY = "cart_recovery goes first: it wants the person for the same night"

both_times = pytest.mark.parametrize("ask", [apply, at_the_claim])
Ask = Callable[..., dict[str, str | None]]


def had(warehouse: psycopg.Connection, crm_id: str, count: int, state: str = "confirmed", campaign: str = "other") -> None:
    """So many messages of today, of another campaign unless said otherwise."""
    for number in range(count):
        add_ledger_row(warehouse, crm_id, person_of(warehouse, "crm_id", crm_id), f"slot-{crm_id}-{state}-{number}", state)
    warehouse.execute("UPDATE ops.push_ledger SET campaign = %s WHERE campaign = 'lead_nurture'", (campaign,))


@both_times
@pytest.mark.parametrize(
    ("kind", "value"), [("crm_id", "1"), ("person_id", "the person's"), ("email_sha256", HASH), ("domain", "example.com")]
)
def test_whoever_is_on_a_suppression_list_gets_nothing(
    warehouse: psycopg.Connection, ask: Ask, kind: str, value: str
) -> None:
    lead_night(warehouse, "1")
    lead_night_of_another_domain(warehouse)
    list_as(warehouse, kind, person_of(warehouse, "crm_id", "1") or "" if kind == "person_id" else value)

    assert ask(warehouse) == {"1": LISTED, "2": None}


def lead_night_of_another_domain(warehouse: psycopg.Connection) -> None:
    warehouse.execute("DELETE FROM marts.audience")
    lead_night(warehouse, "2", email="2@another.example")


@both_times
def test_an_entry_that_was_removed_holds_nobody(warehouse: psycopg.Connection, ask: Ask) -> None:
    lead_night(warehouse, "1")
    list_as(warehouse, "crm_id", "1")
    warehouse.execute("UPDATE ops.suppression SET removed_at = now()")

    assert ask(warehouse) == {"1": None}


@both_times
def test_an_entry_counts_for_whoever_shares_the_address_and_for_the_survivor_of_a_merge(
    warehouse: psycopg.Connection, ask: Ask
) -> None:
    add_contact(warehouse, "1", email="same@example.com")
    add_contact(warehouse, "3")
    resolve(warehouse)
    list_as(warehouse, "crm_id", "1")
    list_as(warehouse, "crm_id", "3")
    add_contact(warehouse, "2", email="same@example.com")
    add_contact(warehouse, "4")
    merge_contacts(warehouse, "4", "3")
    lead_night(warehouse, "5")

    assert ask(warehouse) == {"1": LISTED, "2": LISTED, "4": LISTED, "5": None}


@both_times
@pytest.mark.parametrize("state", ["confirmed", "sent", "unknown", "claimed"])
def test_who_had_the_most_messages_of_any_campaigns_gets_no_more(
    warehouse: psycopg.Connection, ask: Ask, state: str
) -> None:
    lead_night(warehouse, "1", "2")
    had(warehouse, "1", 3, state)
    had(warehouse, "2", 2, state)

    assert ask(warehouse) == {"1": CAPPED, "2": None}


@both_times
@pytest.mark.parametrize("state", ["rejected", "suppressed", "superseded"])
def test_what_nobody_received_does_not_count(warehouse: psycopg.Connection, ask: Ask, state: str) -> None:
    lead_night(warehouse, "1")
    had(warehouse, "1", 3, state)

    assert ask(warehouse) == {"1": None}


@both_times
def test_messages_before_the_window_and_test_sends_do_not_count(warehouse: psycopg.Connection, ask: Ask) -> None:
    lead_night(warehouse, "1", "2")
    had(warehouse, "1", 3)
    warehouse.execute("UPDATE ops.push_ledger SET claimed_at = now() - interval '7 days 1 minute'")
    had(warehouse, "2", 3, campaign="lead_nurture~seed")

    assert ask(warehouse) == {"1": None, "2": None}


@both_times
def test_the_cap_counts_what_a_merged_contact_and_one_of_the_same_address_got(
    warehouse: psycopg.Connection, ask: Ask
) -> None:
    add_contact(warehouse, "1", email="same@example.com")
    add_contact(warehouse, "3")
    resolve(warehouse)
    had(warehouse, "1", 3)
    had(warehouse, "3", 3)
    add_contact(warehouse, "2", email="same@example.com")
    add_contact(warehouse, "4")
    merge_contacts(warehouse, "4", "3")
    lead_night(warehouse, "5")

    assert ask(warehouse) == {"1": CAPPED, "2": CAPPED, "4": CAPPED, "5": None}


@both_times
@pytest.mark.parametrize(("split_at", "words"), [("1 hour", CAPPED), ("-1 hour", None)])
def test_what_somebody_told_apart_got_counts_up_to_that_moment(
    warehouse: psycopg.Connection, ask: Ask, split_at: str, words: str | None
) -> None:
    lead_night(warehouse, "1", "2")
    had(warehouse, "2", 3)
    warehouse.execute(
        "INSERT INTO marts.person_split (person_id, from_person_id, split_at) VALUES (%s, %s, now() + %s::interval)",
        (person_of(warehouse, "crm_id", "1"), person_of(warehouse, "crm_id", "2"), split_at),
    )

    assert ask(warehouse) == {"1": words, "2": CAPPED}


@both_times
def test_a_message_does_not_count_against_itself(warehouse: psycopg.Connection, ask: Ask) -> None:
    lead_night(warehouse, "1")
    add_ledger_row(warehouse, "1", person_of(warehouse, "crm_id", "1"), "week-2026-W47", "claimed")

    assert ask(warehouse, contact(frequency_cap=FrequencyCap(messages=1, days=7))) == {"1": None}


@both_times
@pytest.mark.parametrize(
    ("columns", "words"),
    [({}, GIVES_WAY), ({"arm": "ai"}, GIVES_WAY), ({"arm": "none"}, None), ({"suppressed_reason": "opted_out"}, None)],
)
def test_the_lower_campaign_gives_way_to_one_that_wants_the_person_for_the_same_night(
    warehouse: psycopg.Connection, ask: Ask, columns: dict[str, str], words: str | None
) -> None:
    lead_night(warehouse, "1")
    put_in_audience(warehouse, "cart_recovery", **columns)

    lower, upper = ask(warehouse), ask(warehouse, campaign="cart_recovery")

    assert lower == {"1": words}
    assert upper == {"1": None} or "suppressed_reason" in columns


@both_times
def test_the_lower_campaign_gives_way_to_what_the_higher_one_sent_that_night(
    warehouse: psycopg.Connection, ask: Ask
) -> None:
    lead_night(warehouse, "1", "2")
    had(warehouse, "1", 1, campaign="cart_recovery")
    had(warehouse, "2", 1, state="rejected", campaign="cart_recovery")

    assert ask(warehouse) == {"1": GIVES_WAY, "2": None}


@both_times
def test_nobody_gives_way_to_a_dry_run(warehouse: psycopg.Connection, ask: Ask) -> None:
    lead_night(warehouse, "1")
    put_in_audience(warehouse, "cart_recovery", is_rehearsal=True)

    assert ask(warehouse) == {"1": None}


@both_times
@pytest.mark.parametrize(
    ("outcome", "made_at", "report", "words"),
    [
        ("stopped", "1 minute", "{}", None),
        ("failed", "1 minute", "{}", None),
        ("completed", "1 minute", "{}", GIVES_WAY),
        ("failed", "-1 minute", "{}", GIVES_WAY),  # the night was started again since
        ("failed", "1 minute", '{"kind": "test send"}', GIVES_WAY),
    ],
)
def test_nobody_gives_way_to_a_night_that_came_to_nothing(
    warehouse: psycopg.Connection, ask: Ask, outcome: str, made_at: str, report: str, words: str | None
) -> None:
    lead_night(warehouse, "1")
    put_in_audience(warehouse, "cart_recovery")
    warehouse.execute(
        "INSERT INTO ops.run_report (dag_id, run_id, day, outcome, report, made_at)"
        " VALUES ('cart_recovery', 'r', %s, %s, %s, now() + %s::interval)",
        (DAY, outcome, report, made_at),
    )

    assert ask(warehouse) == {"1": words}


@both_times
def test_a_message_that_was_let_go_unsent_neither_counts_nor_goes_first(warehouse: psycopg.Connection, ask: Ask) -> None:
    lead_night(warehouse, "1")
    had(warehouse, "1", 3, "claimed", campaign="cart_recovery")
    held = ask(warehouse)
    warehouse.execute("UPDATE ops.push_ledger SET claim_token = %s", (NOBODY,))

    assert (held, ask(warehouse)) == ({"1": CAPPED}, {"1": None})


def test_campaigns_outside_the_list_come_after_those_in_it_and_give_way_to_none_of_their_kind() -> None:
    assert higher(("a", "b"), "a") == []
    assert higher(("a", "b"), "b") == ["a"]
    assert higher(("a", "b"), "c") == ["a", "b"]


@both_times
def test_a_test_send_is_held_by_lists_only(warehouse: psycopg.Connection, ask: Ask) -> None:
    lead_night(warehouse, "1", "2")
    put_in_audience(warehouse, "lead_nurture~seed", slot="seed-run")
    put_in_audience(warehouse, "cart_recovery")
    had(warehouse, "1", 3)
    list_as(warehouse, "crm_id", "2")

    assert ask(warehouse, campaign="lead_nurture~seed") == {"1": None, "2": LISTED}


def test_a_second_run_of_the_step_decides_anew(warehouse: psycopg.Connection) -> None:
    lead_night(warehouse, "1", "2")
    list_as(warehouse, "crm_id", "1")
    first = apply(warehouse)
    warehouse.execute("UPDATE ops.suppression SET removed_at = now()")
    list_as(warehouse, "crm_id", "2")

    assert first == {"1": LISTED, "2": None}
    assert apply(warehouse) == {"1": None, "2": LISTED}


def test_who_consent_does_not_allow_keeps_that_reason(warehouse: psycopg.Connection) -> None:
    lead_night(warehouse, "1")
    warehouse.execute("UPDATE marts.audience SET consent_basis = NULL, suppressed_reason = 'opted_out'")
    list_as(warehouse, "crm_id", "1")

    apply(warehouse)

    row = warehouse.execute("SELECT suppressed_reason, suppressed_detail, send_after FROM marts.audience").fetchone()
    assert row == ("opted_out", None, None)


def test_the_step_decides_with_the_policy_of_the_moment(
    warehouse: psycopg.Connection, warehouse_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead_night(warehouse, "1", "2", region="DE")
    list_as(warehouse, "crm_id", "1")
    warehouse.commit()
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", warehouse_url)
    operator = ApplyContactPolicyOperator(task_id="apply_contact_policy", **NIGHT)
    operator.sql = [statement(name).decode() for name in operator.statements]  # as Airflow renders it

    operator.execute({})  # type: ignore[typeddict-item]

    query = "SELECT crm_id, suppressed_detail, time_zone, send_after IS NULL FROM marts.audience ORDER BY crm_id"
    assert warehouse.execute(query).fetchall() == [("1", LISTED, "Europe/Berlin", True), ("2", None, "Europe/Berlin", False)]


def test_the_reasons_have_keys_of_their_own(warehouse: psycopg.Connection) -> None:
    lead_night(warehouse, "1", "2", "3")
    list_as(warehouse, "crm_id", "1")
    had(warehouse, "2", 3)
    put_in_audience(warehouse, "cart_recovery")

    apply(warehouse)

    rows = warehouse.execute("SELECT suppressed_reason FROM marts.audience WHERE campaign = 'lead_nurture' ORDER BY crm_id")
    assert rows.fetchall() == [("suppression_list",), ("frequency_cap",), ("higher_priority_campaign",)]
