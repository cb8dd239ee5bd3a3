"""The audience of a night as the report previews it: who may be written to, who not and why, by region, and when."""

from typing import Any

import psycopg
from fastapi.testclient import TestClient

from contact_policy_night import apply, lead_night, list_as
from nurture.scorecard.night import keep_report, night_report, run_kind
from warehouse_rows import DAY

RUN = {"dag_id": "lead_nurture", "run_id": "r1"}


def preview(warehouse: psycopg.Connection) -> dict[str, Any]:
    """The report's part about the audience, after its gate has looked."""
    warehouse.execute(
        "INSERT INTO ops.gate_result (dag_id, run_id, gate, check_name, day, table_name, severity, status, detail)"
        " VALUES ('lead_nurture', 'r1', 'g', 'c', %s, 'marts.audience', 'stop', 'pass', '')", (DAY,),
    )  # fmt: skip
    part: dict[str, Any] = night_report(warehouse, **RUN, day=str(DAY))["audience"]
    return part


def test_the_report_says_in_words_why_people_get_nothing(warehouse: psycopg.Connection) -> None:
    lead_night(warehouse, "1", "2", "3", "4", "5")
    list_as(warehouse, "crm_id", "1", "competitors")
    list_as(warehouse, "crm_id", "2", "legal")
    list_as(warehouse, "crm_id", "3", "legal")
    apply(warehouse)
    warehouse.execute("UPDATE marts.audience SET suppressed_reason = 'no_opt_in', consent_basis = NULL WHERE crm_id = '4'")

    part = preview(warehouse)

    assert part["suppressed"] == {"suppression_list": 3, "no_opt_in": 1}
    assert part["reasons"] == [
        {"why_not": "on the suppression list legal", "people": 2},
        {"why_not": "did not opt in, and the region needs it", "people": 1},
        {"why_not": "on the suppression list competitors", "people": 1},
    ]


def test_the_report_shows_the_audience_by_region_and_arm(warehouse: psycopg.Connection) -> None:
    lead_night(warehouse, "1", "2", "3", "4")
    warehouse.execute("UPDATE marts.audience SET arm = 'ai', region = 'US-CA' WHERE crm_id = '1'")
    warehouse.execute("UPDATE marts.audience SET arm = 'none', region = 'US' WHERE crm_id = '2'")
    warehouse.execute("UPDATE marts.audience SET suppressed_reason = 'opted_out', region = 'US' WHERE crm_id = '3'")

    regions = preview(warehouse)["regions"]

    assert regions == [
        {"region": "US", "qualified": 3, "may_be_written_to": 2, "ai": 1, "static": 0, "none": 1},
        {"region": "unknown", "qualified": 1, "may_be_written_to": 1, "ai": 0, "static": 0, "none": 0},
    ]


def test_the_report_says_how_many_wait_for_the_morning(warehouse: psycopg.Connection) -> None:
    lead_night(warehouse, "1", "2", "3")
    warehouse.execute("UPDATE marts.audience SET send_after = selected_at + (crm_id::int - 1) * interval '50 minutes'")

    assert preview(warehouse)["may_be_sent"] == {"after the quiet hours": 1, "at once": 2}


def test_a_dry_run_says_so_on_the_tab_and_leads_to_its_page(warehouse: psycopg.Connection) -> None:
    from airflow.api_fastapi.core_api.security import get_user

    from nurture.scorecard import app as scorecard

    lead_night(warehouse, "1")
    warehouse.execute(
        "INSERT INTO ops.dry_run (dag_id, run_id, campaign, day, lane, person_id, slot, crm_id, message_id, outcome, reason,"
        " changes) VALUES ('lead_nurture', 'r1', 'lead_nurture', %s, 'ready', 'p', 's', '1', 'm', 'written', 'now', '{}')",
        (DAY,),
    )
    preview(warehouse)
    report = run_kind(is_dry=True, name="lead_nurture") | night_report(warehouse, **RUN, day=str(DAY))
    keep_report(warehouse, **RUN, day=str(DAY), outcome="completed", reason=None, report=report, decides_trust=False)
    warehouse.commit()
    scorecard.app.dependency_overrides = {get_user: lambda: None, scorecard.warehouse: lambda: warehouse}

    text = TestClient(scorecard.app).get("/run", params=RUN).text

    scorecard.app.dependency_overrides = {}
    assert "Dry run: nothing was claimed, nothing was written to the CRM." in text
    assert "dry-run?dag_id=lead_nurture&amp;run_id=r1" in text
    assert "Would be written" in text
