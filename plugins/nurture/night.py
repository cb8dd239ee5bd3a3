"""What every DAG of a night shares: the schedule, the meaning of "day", the defaults of a task."""

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import CronDataIntervalTimetable

from nurture import paths

DAY = "{{ data_interval_start | ds }}"
"""The night's last complete GA4 day, ISO. From the data interval, so that a backfill and a manual run mean the same."""

SQL_FOLDER = str(paths.SQL)


def nightly() -> dict[str, Any]:
    """Keyword arguments of a nightly DAG: 02:00 UTC with data intervals, so that backfills go by date."""
    return {
        "schedule": CronDataIntervalTimetable("0 2 * * *", timezone="UTC"),
        "start_date": datetime(2018, 1, 1, tzinfo=UTC),
        "catchup": False,
        "max_active_runs": 1,
        "template_searchpath": [SQL_FOLDER],
        "render_template_as_native_obj": False,
        "default_args": {
            "owner": "marketing-data",
            "retries": 2,
            "retry_delay": timedelta(seconds=30),
            "retry_exponential_backoff": True,
            "max_retry_delay": timedelta(minutes=10),
        },
    }
