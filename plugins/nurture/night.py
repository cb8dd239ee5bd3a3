"""What every DAG of a night shares: the schedule, the meaning of "day", the defaults of a task."""

from datetime import timedelta
from typing import Any

from nurture import paths
from nurture.schedules import by_clock

DAY = "{{ data_interval_start | ds }}"
"""The night's last complete GA4 day, ISO. From the data interval, so that a backfill and a manual run mean the same."""

SQL_FOLDER = str(paths.SQL)


def nightly() -> dict[str, Any]:
    """Keyword arguments of a nightly DAG: 02:00 UTC with data intervals, so that backfills go by date."""
    shared = by_clock("0 2 * * *", retry_exponential_backoff=True, max_retry_delay=timedelta(minutes=10))
    return shared | {"template_searchpath": [SQL_FOLDER]}
