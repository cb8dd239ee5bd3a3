"""When a DAG runs: by the clock or by hand; and what its tasks have in common."""

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import CronDataIntervalTimetable


def by_clock(cron: str, **of_each_task: Any) -> dict[str, Any]:
    """Keyword arguments of a DAG that runs by `cron`, in UTC, with data intervals, one run at a time."""
    schedule = CronDataIntervalTimetable(cron, timezone="UTC")
    return _shared(of_each_task) | {"schedule": schedule, "max_active_runs": 1}


def by_hand(**of_each_task: Any) -> dict[str, Any]:
    """Keyword arguments of a DAG that a person triggers with a form; it works at once on the day when it is needed."""
    return _shared(of_each_task) | {"schedule": None, "is_paused_upon_creation": False}


def _shared(of_each_task: dict[str, Any]) -> dict[str, Any]:
    return {
        "start_date": datetime(2018, 1, 1, tzinfo=UTC),
        "catchup": False,
        "default_args": {"owner": "marketing-data", "retries": 2, "retry_delay": timedelta(seconds=30)} | of_each_task,
    }
