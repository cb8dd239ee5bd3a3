"""Runs nights through the real scheduler and shows their progress."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from demo.airflow import AirflowApi, parse_time

Say = Callable[[str], None]
NIGHTLY_HOUR = time(2, tzinfo=UTC)
MARKS = {"success": "✓", "failed": "✗", "skipped": "–", "upstream_failed": "–"}


def last_day(now: datetime) -> date:
    """The last complete day of the newest nightly interval (02:00 to 02:00 UTC)."""
    end = datetime.combine(now.date(), NIGHTLY_HOUR)
    return (end if end <= now else end - timedelta(days=1)).date() - timedelta(days=1)


def run_last_night(api: AirflowApi, dag_id: str, day: date, say: Say) -> dict[str, Any]:
    """Let the scheduler run `dag_id` for `day`, again when it ran before; returns the run."""
    run = _run_of(api, dag_id, day)
    if run is None:
        api.unpause(dag_id)  # the scheduler then makes the run of the newest interval by itself
        run = _wait_for_run(api, dag_id, day)
    else:
        api.unpause(dag_id)
        api.send("POST", f"/dags/{dag_id}/dagRuns/{run['dag_run_id']}/clear", {"dry_run": False})
        say(f"{dag_id} of {day} ran before: running it again")
    return _follow(api, dag_id, run["dag_run_id"], say)


def run_past_night(api: AirflowApi, dag_id: str, day: date, say: Say, conf: dict[str, Any] | None = None) -> dict[str, Any]:
    """Run `dag_id` for a day long past, as a person would from the Trigger dialog; `conf`: the Params of a new run."""
    run = _run_of(api, dag_id, day)
    if run:
        api.send("POST", f"/dags/{dag_id}/dagRuns/{run['dag_run_id']}/clear", {"dry_run": False})
    else:
        start = datetime.combine(day, NIGHTLY_HOUR)
        body = {
            "dag_run_id": f"file__{day}", "logical_date": start.isoformat(),
            "data_interval_start": start.isoformat(), "data_interval_end": (start + timedelta(days=1)).isoformat(),
            "note": "a night of the file given as GA4_FILE", "conf": conf or {},
        }  # fmt: skip
        run = api.send("POST", f"/dags/{dag_id}/dagRuns", body)
    return _follow(api, dag_id, run["dag_run_id"], say)


def hold_back_scheduled_run(api: AirflowApi, dag_id: str, day: date) -> None:
    """Unpause `dag_id` without a run of `day`: its interval is marked as done, with a note that says so."""
    if _run_of(api, dag_id, day) is None:
        start = datetime.combine(day, NIGHTLY_HOUR)
        body = {
            "dag_run_id": f"not_run__{day}", "logical_date": start.isoformat(),
            "data_interval_start": start.isoformat(), "data_interval_end": (start + timedelta(days=1)).isoformat(),
        }  # fmt: skip
        api.send("POST", f"/dags/{dag_id}/dagRuns", body)
        note = "Not run: the demo was given a GA4 file, which has no such day."
        api.send("PATCH", f"/dags/{dag_id}/dagRuns/not_run__{day}", {"state": "success", "note": note})
    api.unpause(dag_id)


def _follow(api: AirflowApi, dag_id: str, run_id: str, say: Say) -> dict[str, Any]:
    for task in api.watch(dag_id, run_id, seconds=900):
        seconds = f"{task['duration']:.1f} s" if task["duration"] else ""
        say(f"  {MARKS.get(task['state'], '?')} {task['task_id']:<20} {task['state']:<16} {seconds}")
    run: dict[str, Any] = api.get(f"/dags/{dag_id}/dagRuns/{run_id}")
    return run


def _run_of(api: AirflowApi, dag_id: str, day: date) -> dict[str, Any] | None:
    for run in api.runs(dag_id):
        if run["data_interval_start"] and parse_time(run["data_interval_start"]).date() == day:
            return run
    return None


def _wait_for_run(api: AirflowApi, dag_id: str, day: date) -> dict[str, Any]:
    import time as clock

    deadline = clock.monotonic() + 60
    while clock.monotonic() < deadline:
        if run := _run_of(api, dag_id, day):
            return run
        clock.sleep(0.3)
    raise RuntimeError(f"The scheduler made no run of {dag_id} for {day} within 60 s; .demo/airflow.log says why.")
