"""The gate before the push: every message of one campaign's night, and the copy it would carry."""

import psycopg
import pytest

from nurture.copywriting.assembly import load_placeholders
from nurture.quality.checks import read_checks
from nurture.quality.verdict import CheckResult
from quality_night import add_copy, add_message, add_person, check, judge

pytestmark = pytest.mark.slow  # Great Expectations takes seconds


@pytest.fixture
def night(warehouse: psycopg.Connection) -> psycopg.Connection:
    """Two people with model copy, one with static copy, one in the holdout: nothing wrong."""
    add_copy(warehouse, "static", origin="static")
    add_copy(warehouse, "written")
    for number, (arm, copy_id) in enumerate([("ai", "written"), ("ai", "written"), ("static", "static"), ("none", None)], 1):
        add_person(warehouse, number, arm=arm)
        if copy_id:
            add_message(warehouse, number, copy_id)
    return warehouse


def gate_copy(connection: psycopg.Connection, name: str) -> CheckResult:
    return check(connection, "ops.message", name, campaign="lead_nurture")


def test_a_complete_night_passes(night: psycopg.Connection) -> None:
    verdict = judge(night, "ops.message", campaign="lead_nurture")

    assert {result.status for result in verdict.results} == {"pass"}


def test_a_person_without_a_message_fails(night: psycopg.Connection) -> None:
    add_person(night, 5, arm="static")

    result = gate_copy(night, "message_for_everyone")

    assert (result.status, result.observed, result.sample_keys) == ("fail", 1.0, ("p_5",))


@pytest.mark.parametrize("columns", [{"arm": "none"}, {"suppressed_reason": "opted_out", "arm": "ai"}, None])
def test_a_message_for_someone_who_should_have_none_fails(night: psycopg.Connection, columns: dict[str, str] | None) -> None:
    if columns:
        add_person(night, 5, **columns)
    add_message(night, 5, "written")

    result = gate_copy(night, "message_for_everyone")

    assert (result.status, result.sample_keys) == ("fail", ("p_5",))


@pytest.mark.parametrize("output", [{"headline": ""}, {"body": " \n"}, {"cta": None}, {"cta": ["Go"]}, {"headline": 7}])
@pytest.mark.parametrize("role", ["copy", "fallback"])
def test_copy_without_all_its_parts_fails(night: psycopg.Connection, output: dict[str, object], role: str) -> None:
    add_copy(night, "partial", origin="static", **output)
    add_person(night, 5, arm="ai")
    if role == "copy":
        add_message(night, 5, "partial")
    else:
        add_message(night, 5, "written", fallback="partial")

    result = gate_copy(night, "copy_complete")

    assert (result.status, result.sample_keys) == ("fail", ("partial",))


@pytest.mark.parametrize(
    "body",
    [
        "{{ 7*7 }}",
        "{% if x %}",
        "<script>alert(1)</script>",
        "< SCRIPT src=x>",
        "Hello {industry}",
        "Hello {First_Name}",
        "Hello {}",
    ],
)
def test_template_code_scripts_and_undeclared_placeholders_fail(night: psycopg.Connection, body: str) -> None:
    add_copy(night, "dirty", body=body)
    add_person(night, 5)
    add_message(night, 5, "dirty")

    result = gate_copy(night, "copy_clean")

    assert (result.status, result.sample_keys) == ("fail", ("dirty",))


def test_declared_placeholders_pass(night: psycopg.Connection) -> None:
    add_copy(night, "open", body=" ".join(f"{{{name}}}" for name in load_placeholders()))
    add_person(night, 5)
    add_message(night, 5, "open")

    assert gate_copy(night, "copy_clean").status == "pass"


def test_the_check_file_allows_the_placeholders_that_exist() -> None:
    entry = next(item for item in read_checks("ops.message").checks if item.name == "copy_clean")

    assert set(entry.arguments["allowed_placeholders"]) == set(load_placeholders())


@pytest.mark.parametrize(
    ("verdict", "lane", "status"),
    [
        ("flagged", "approval", "pass"),
        ("flagged", "ready", "fail"),
        ("rejected", "approval", "fail"),
        ("rejected", "ready", "fail"),
    ],
)
def test_copy_that_was_not_cleared_may_only_wait(night: psycopg.Connection, verdict: str, lane: str, status: str) -> None:
    add_copy(night, "risky", verdict=verdict)
    add_person(night, 5)
    add_message(night, 5, "risky", lane=lane)

    assert gate_copy(night, "flagged_copy_waits").status == status


@pytest.mark.parametrize(("origin", "verdict"), [("model", "clear"), ("static", "flagged")])
def test_a_fallback_that_is_not_cleared_static_copy_fails(night: psycopg.Connection, origin: str, verdict: str) -> None:
    add_copy(night, "no fallback", origin=origin, verdict=verdict)
    add_person(night, 5)
    add_message(night, 5, "written", fallback="no fallback")

    result = gate_copy(night, "static_fallback")

    assert (result.status, result.sample_keys) == ("fail", ("p_5",))


@pytest.mark.parametrize(("static", "status"), [(1, "pass"), (2, "warn")])
def test_half_of_the_ai_arm_on_static_copy_warns(night: psycopg.Connection, static: int, status: str) -> None:
    for number in range(5, 5 + static):
        add_person(night, number, arm="ai")
        add_message(night, number, "static")

    result = gate_copy(night, "static_share_of_ai")

    assert (result.status, result.observed) == (status, static / (2 + static))
