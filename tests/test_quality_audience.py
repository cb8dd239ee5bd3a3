"""The gate before copy is paid for: one campaign's audience of one night."""

from datetime import timedelta

import psycopg
import pytest

from quality_night import DAY, add_person, check, judge

pytestmark = pytest.mark.slow  # Great Expectations takes seconds


def statuses(connection: psycopg.Connection) -> dict[str, str]:
    verdict = judge(connection, "marts.audience", campaign="lead_nurture")
    return {result.check_name: result.status for result in verdict.results}


def test_an_audience_that_may_be_written_to_passes(warehouse: psycopg.Connection) -> None:
    add_person(warehouse, 1, arm="ai")
    add_person(warehouse, 2, arm="none")
    add_person(warehouse, 3, arm=None, suppressed_reason="opted_out", consent_basis=None)

    assert set(statuses(warehouse).values()) == {"pass"}


def test_an_empty_audience_warns_and_does_not_stop(warehouse: psycopg.Connection) -> None:
    verdict = judge(warehouse, "marts.audience", campaign="lead_nurture")

    result = next(item for item in verdict.results if item.check_name == "audience_present")
    assert (result.status, verdict.is_passed) == ("warn", True)
    assert "Nobody qualified" in result.detail


def test_two_people_of_one_crm_record_fail(warehouse: psycopg.Connection) -> None:
    add_person(warehouse, 1, crm_id="7")
    add_person(warehouse, 2, crm_id="7")

    result = check(warehouse, "marts.audience", "audience_unique", campaign="lead_nurture")

    assert (result.status, result.observed, result.sample_keys) == ("fail", 1.0, ("7",))


def test_a_person_who_appears_twice_fails(warehouse: psycopg.Connection) -> None:
    warehouse.execute("ALTER TABLE marts.audience DROP CONSTRAINT audience_pkey")
    add_person(warehouse, 1, crm_id="7")
    add_person(warehouse, 1, crm_id="8")

    assert statuses(warehouse)["audience_unique"] == "fail"


@pytest.mark.parametrize(
    "columns",
    [
        {"suppressed_reason": "opted_out"},
        {"consent_basis": None},
        {"consent_basis": " "},
        {"arm": "none", "consent_basis": None},
    ],
)
def test_an_arm_without_permission_fails(warehouse: psycopg.Connection, columns: dict[str, str | None]) -> None:
    add_person(warehouse, 1)
    add_person(warehouse, 2, **columns)

    result = check(warehouse, "marts.audience", "audience_allowed", campaign="lead_nurture")

    assert (result.status, result.observed, result.sample_keys) == ("fail", 1.0, ("2",))


@pytest.mark.parametrize(
    ("columns", "status"),
    [
        ({"trigger_at": f"{DAY + timedelta(days=1)}T11:59:59Z"}, "pass"),
        ({"trigger_at": f"{DAY + timedelta(days=1)}T12:00:00Z"}, "fail"),
        ({"trigger_event_day": DAY + timedelta(days=1)}, "fail"),
    ],
)
def test_a_trigger_after_the_night_fails(warehouse: psycopg.Connection, columns: dict[str, str], status: str) -> None:
    add_person(warehouse, 1, **columns)

    assert statuses(warehouse)["audience_trigger_in_future"] == status


def test_other_campaigns_and_nights_do_not_count(warehouse: psycopg.Connection) -> None:
    add_person(warehouse, 1)
    add_person(warehouse, 2, campaign="cart_recovery", suppressed_reason="opted_out")
    add_person(warehouse, 3, day=DAY - timedelta(days=1), suppressed_reason="opted_out")

    assert set(statuses(warehouse).values()) == {"pass"}
