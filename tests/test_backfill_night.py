"""Past days run again through Airflow's own scheduler, by the commands of docs/backfill.md."""

import re
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from demo import night
from demo.airflow import parse_time
from running_nights import DAGS, Nights, running_nights

pytestmark = [pytest.mark.airflow, pytest.mark.emulator, pytest.mark.timeout(1800)]

DOC = Path(__file__).resolve().parents[1] / "docs" / "backfill.md"
BROKEN_DAYS = 3


@pytest.fixture(scope="module")
def nights() -> Iterator[Nights]:
    """The export of the last three days is broken, and the nights of these days were run."""
    with running_nights() as started:
        started.export(breakage=["user_ids_missing"])
        for dag_id in DAGS:
            started.run(dag_id)
            for day in broken_days(started)[:-1]:
                night.run_past_night(started.api, dag_id, day, print)
        yield started


def broken_days(nights: Nights) -> list[Any]:
    return [nights.day - timedelta(days=back) for back in range(BROKEN_DAYS - 1, -1, -1)]


def runs_of(nights: Nights, dag_id: str) -> dict[Any, dict[str, Any]]:
    """The run of each broken day; Airflow keeps one for a day."""
    runs = {parse_time(run["data_interval_start"]).date(): run for run in nights.api.runs(dag_id)}
    return {day: runs[day] for day in broken_days(nights)}


def documented(nights: Nights, dag_id: str, **changes: str) -> list[str]:
    """The command of docs/backfill.md for `dag_id` with the broken days for its days; `changes`: other values of options."""
    line = next(line for line in DOC.read_text().splitlines() if "airflow backfill create" in line and dag_id in line)
    first, *_, last = broken_days(nights)
    real = {"2026-11-18": str(first), "2026-11-20": str(last)}  # in one go: a real day may be one of the page's
    words = re.sub("|".join(real), lambda found: real[found[0]], line.strip()).split()[1:]
    for option, value in changes.items():
        words[words.index(f"--{option.replace('_', '-')}") + 1] = value
    return words


def follow(nights: Nights, dag_id: str, seconds: float = 1200) -> None:
    """Wait until the backfills of `dag_id` have ended and its runs too; whoever is asked approves everything."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for detail in nights.api.get("/dags/~/dagRuns/~/hitlDetails", response_received="false")["hitl_details"]:
            nights.approve_all(detail["task_instance"]["dag_run_id"], note="agreed with sales")
        open_backfills = [
            one for one in nights.api.get("/backfills", dag_id=dag_id)["backfills"] if one["completed_at"] is None
        ]
        states = {run["state"] for run in runs_of(nights, dag_id).values()}
        if not open_backfills and states <= {"success", "failed"}:
            return
        time.sleep(1)
    raise AssertionError(f"{dag_id} was not done within {seconds} s: {runs_of(nights, dag_id)}")


def counterfactuals(nights: Nights) -> dict[Any, dict[str, Any]]:
    """What the report of each day's campaign run says that it would have changed."""
    with nights.warehouse() as connection:
        rows = connection.execute(
            "SELECT DISTINCT ON (day) day, report -> 'counterfactual' FROM ops.run_report"
            " WHERE dag_id = 'lead_nurture' ORDER BY day, made_at DESC"
        ).fetchall()
    return {day: found or {} for day, found in rows}


def lost(nights: Nights) -> int:
    """People of any night who may be written to, are in no holdout, and have no row in the ledger."""
    return nights.one(
        """
        SELECT count(*) FROM marts.audience AS audience
        LEFT JOIN ops.push_ledger AS ledger USING (campaign, person_id, slot)
        WHERE audience.suppressed_reason IS NULL AND audience.arm <> 'none' AND ledger.state IS NULL
        """
    )


def test_each_night_of_the_broken_days_stopped_red_and_reached_nobody(nights: Nights) -> None:
    for dag_id in DAGS:
        assert {day: run["state"] for day, run in runs_of(nights, dag_id).items()} == dict.fromkeys(
            broken_days(nights), "failed"
        ), dag_id
    assert nights.one("SELECT array_agg(DISTINCT status) FROM ops.trusted_day") == ["stopped"]
    assert nights.messages_seen_by_crm() == {}


def test_the_recipe_mends_three_broken_days_with_one_message_for_each_person_and_week(nights: Nights) -> None:
    nights.export()

    nights.airflow(*documented(nights, "customer_data"))
    follow(nights, "customer_data")
    nights.airflow(*documented(nights, "lead_nurture"))
    follow(nights, "lead_nurture")

    for dag_id in DAGS:
        runs = runs_of(nights, dag_id)
        assert {(run["state"], run["run_type"]) for run in runs.values()} == {("success", "backfill")}, dag_id
    assert nights.one("SELECT array_agg(DISTINCT status) FROM ops.trusted_day") == ["trusted"]
    assert nights.one("SELECT count(*) FROM ops.trusted_day") == BROKEN_DAYS
    assert len(nights.messages_seen_by_crm()) > 100
    assert max(nights.messages_seen_by_crm().values()) == 1
    assert nights.one("SELECT max(n) FROM (SELECT count(*) AS n FROM ops.push_ledger GROUP BY crm_id, slot) AS one") == 1
    assert lost(nights) == 0


def test_late_nights_sent_nothing_stale_and_features_are_those_of_their_day(nights: Nights) -> None:
    stale = nights.one(
        """
        SELECT count(*) FROM ops.push_ledger AS older JOIN ops.push_ledger AS newer USING (campaign, person_id)
        WHERE older.state = 'confirmed' AND newer.state = 'confirmed' AND older.day < newer.day
          AND older.changed_at > newer.changed_at
        """
    )
    ahead = nights.one("SELECT count(*) FROM marts.person_features WHERE last_event_at >= day + interval '36 hours'")
    exported = nights.one("SELECT count(*) = count(DISTINCT (event_day, row_number)) FROM staging.events")

    assert (stale, ahead, exported) == (0, 0, True)
    assert nights.one("SELECT count(DISTINCT day) FROM marts.person_features") == BROKEN_DAYS


def test_running_completed_days_again_sends_nothing_asks_no_model_and_reports_the_same_messages(nights: Nights) -> None:
    before, calls = nights.messages_seen_by_crm(), nights.one("SELECT count(*) FROM ops.llm_call")
    sent = nights.one(
        """
        SELECT jsonb_object_agg(day, messages)
        FROM (SELECT day, count(*) AS messages FROM ops.push_ledger WHERE state = 'confirmed' GROUP BY day) AS night
        """
    )

    nights.airflow(*documented(nights, "lead_nurture", reprocess_behavior="completed"))
    follow(nights, "lead_nurture")

    assert nights.messages_seen_by_crm() == before
    assert nights.one("SELECT count(*) FROM ops.llm_call") == calls
    for day, found in counterfactuals(nights).items():
        # Which of days that ran at once wrote to people of one week is not determined: a day may have sent none.
        assert found.get("sent_before_this_run", 0) == found.get("same_message", 0) == sent.get(str(day), 0), day
        assert not found.keys() & {"another_copy", "would_get_none_now", "got_none_before"}, day


def test_two_backfills_at_once_beside_the_nightly_run_send_nothing_twice_and_lose_nobody(nights: Nights) -> None:
    before = nights.messages_seen_by_crm()
    earlier = {"to_date": f"{broken_days(nights)[-2]}T23:59", "reprocess_behavior": "completed", "max_active_runs": "3"}

    for dag_id in DAGS:
        nights.airflow(*documented(nights, dag_id, **earlier))
    for dag_id in DAGS:
        run_id = runs_of(nights, dag_id)[nights.day]["dag_run_id"]
        nights.api.send("POST", f"/dags/{dag_id}/dagRuns/{run_id}/clear", {"dry_run": False})
    for dag_id in DAGS:
        follow(nights, dag_id)

    for dag_id in DAGS:
        assert {run["state"] for run in runs_of(nights, dag_id).values()} == {"success"}, dag_id
    assert nights.messages_seen_by_crm() == before
    assert lost(nights) == 0
    assert nights.one("SELECT count(*) FROM ops.push_ledger WHERE state IN ('claimed', 'sent', 'unknown', 'rejected')") == 0


def test_days_older_than_the_campaigns_freshness_are_superseded_and_go_out_when_somebody_says_so(nights: Nights) -> None:
    before, day = nights.messages_seen_by_crm(), nights.day - timedelta(days=8)
    window = ["--from-date", f"{day}", "--to-date", f"{day}T23:59"]

    assert night.run_past_night(nights.api, "customer_data", day, print)["state"] == "success"
    nights.airflow("backfill", "create", "--dag-id", "lead_nurture", *window)
    follow(nights, "lead_nurture")
    silent = nights.messages_seen_by_crm(), reasons_of(nights, day)
    nights.airflow("backfill", "create", "--dag-id", "lead_nurture", *window, "--reprocess-behavior", "completed",
                   "--dag-run-conf", '{"freshness_days": 14}')  # fmt: skip
    follow(nights, "lead_nurture")

    assert silent[0] == before
    assert {reason.split(" was sent")[0].split(" is ")[0] for reason in silent[1]} == {
        "the trigger",
        "a message of a later night",
    }
    assert set(counterfactuals(nights)[day]["superseded"]) == set(reasons_of(nights, day))
    assert {reason.split(" was sent")[0] for reason in reasons_of(nights, day)} == {"a message of a later night"}
    assert (
        sum(nights.messages_seen_by_crm().values())
        == sum(before.values()) + silent[1].total() - reasons_of(nights, day).total()
    )
    assert max(nights.messages_seen_by_crm().values()) == 1


def reasons_of(nights: Nights, day: Any) -> Counter[str]:
    """Why messages of a night were superseded."""
    with nights.warehouse() as connection:
        rows = connection.execute(
            "SELECT reason, count(*) FROM ops.push_ledger WHERE state = 'superseded' AND day = %s GROUP BY reason", (day,)
        ).fetchall()
    return Counter(dict(rows))
