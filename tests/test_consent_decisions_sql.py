"""Every decision over an audience is kept with its basis; a re-run adds only what changed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from audience_night import WEEK, apply_consent, leads, reasons, select
from nurture.scorecard.queries import recipients
from warehouse_rows import add_event, add_ledger_row, person_of

TODAY = datetime.now(UTC)


def decisions(connection: psycopg.Connection) -> list[tuple[Any, ...]]:
    """Kept decisions as (CRM id, allowed, region, rule, basis, run), in the order in which they were kept."""
    return connection.execute(
        """
        SELECT person.crm_id, is_allowed, decision.region, rule, basis, run_id
        FROM ops.consent_decision AS decision JOIN marts.person USING (person_id)
        ORDER BY consent_decision_id, person.crm_id
        """
    ).fetchall()


def test_each_decision_of_a_night_is_kept_with_its_basis_in_words(warehouse: psycopg.Connection) -> None:
    leads(warehouse, "1")
    leads(warehouse, "2", region="US-CA", consent_status="unknown")
    leads(warehouse, "3", region=None, consent_status="unknown")
    leads(warehouse, "4", is_opted_out=True)

    select(warehouse)

    assert sorted(decisions(warehouse)) == [
        ("1", True, "DE", "eu_eprivacy", "opt-in of 2026-01-05", "run-1"),
        ("2", True, "US-CA", "us_ca_ccpa", "no opt-out, and rule us_ca_ccpa needs no opt-in", "run-1"),
        ("3", False, None, "strictest", "no opt-in, and rule strictest needs one", "run-1"),
        ("4", False, "DE", "eu_eprivacy", "opted out in the CRM", "run-1"),
    ]
    row = warehouse.execute("SELECT DISTINCT campaign, slot, day::text, stage FROM ops.consent_decision").fetchall()
    assert row == [("lead_nurture", WEEK, "2026-11-20", "audience")]


def test_a_second_run_adds_only_what_changed(warehouse: psycopg.Connection) -> None:
    leads(warehouse, "1", "2", "3")
    select(warehouse)
    first = decisions(warehouse)
    warehouse.execute("UPDATE staging.contacts SET is_opted_out = true WHERE crm_id = '2'")

    apply_consent(warehouse, run_id="run-2")
    apply_consent(warehouse, run_id="run-3")

    assert decisions(warehouse) == [*first, ("2", False, "DE", "eu_eprivacy", "opted out in the CRM", "run-2")]


def test_a_decision_that_goes_back_is_a_decision_too(warehouse: psycopg.Connection) -> None:
    leads(warehouse, "1")
    select(warehouse)
    for run_id, is_out in (("run-2", True), ("run-3", False)):
        warehouse.execute("UPDATE staging.contacts SET is_opted_out = %s", (is_out,))
        apply_consent(warehouse, run_id=run_id)

    assert [(allowed, run_id) for _, allowed, _, _, _, run_id in decisions(warehouse)] == [
        (True, "run-1"), (False, "run-2"), (True, "run-3"),
    ]  # fmt: skip


def test_what_was_decided_cannot_be_changed(warehouse: psycopg.Connection) -> None:
    leads(warehouse, "1")
    select(warehouse)

    with pytest.raises(psycopg.errors.RaiseException, match=r"ops.consent_decision is a history"):
        warehouse.execute("UPDATE ops.consent_decision SET is_allowed = true")


def test_a_canadian_who_asked_for_a_demo_lately_may_be_written_to_without_an_opt_in(warehouse: psycopg.Connection) -> None:
    leads(warehouse, "1", "2", "3", "4", region="CA", consent_status="unknown")
    warehouse.execute("UPDATE staging.contacts SET consent_status = 'denied' WHERE crm_id = '4'")
    for crm_id, event, ago in (("1", "demo_request", 30), ("2", "demo_request", 400), ("4", "purchase", 3)):
        then = TODAY - timedelta(days=ago)
        add_event(warehouse, 100 + int(crm_id), event, day=then.date(), event_at=then, user_id=f"u-{crm_id}")

    assert reasons(warehouse) == {"1": None, "2": "no_opt_in", "3": "no_opt_in", "4": "consent_denied"}
    basis = f"implied by demo_request of {(TODAY - timedelta(days=30)).date()}, rule ca_casl"
    assert warehouse.execute("SELECT consent_basis FROM marts.audience WHERE crm_id = '1'").fetchone() == (basis,)
    assert ("1", True, "CA", "ca_casl", basis, "run-1") in decisions(warehouse)


def test_the_page_of_a_message_has_the_decisions_of_its_people(warehouse: psycopg.Connection) -> None:
    leads(warehouse, "1", "2")
    select(warehouse)
    add_ledger_row(warehouse, "1", person_of(warehouse, "crm_id", "1"), WEEK)

    [person] = recipients(warehouse, "m")

    [decision] = person["consent"]
    assert decision["decided_at"].startswith(str(TODAY.date())[:4])
    assert (decision["stage"], decision["is_allowed"], decision["rule"], decision["basis"]) == (
        "audience", True, "eu_eprivacy", "opt-in of 2026-01-05",
    )  # fmt: skip
