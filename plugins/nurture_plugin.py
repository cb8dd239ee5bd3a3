"""The only file that Airflow discovers here: it puts Nurture's pages into the UI."""

from collections.abc import Awaitable, Callable
from typing import Any

from airflow.plugins_manager import AirflowPlugin


async def scorecard(scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]) -> None:
    """The pages, imported at the first request: every task process loads this file, and none of them needs the pages."""
    from nurture.scorecard.app import app

    await app(scope, receive, send)


class NurturePlugin(AirflowPlugin):
    """Pages under `/nurture`, an entry in the navigation, and a tab on every DAG run."""

    name = "nurture"
    fastapi_apps = [{"app": scorecard, "url_prefix": "/nurture", "name": "nurture"}]  # noqa: RUF012
    external_views = [  # noqa: RUF012
        {"name": "Nurture", "href": "/nurture/", "destination": "nav", "url_route": "nurture", "nav_top_level": True},
        {
            "name": "Nurture night",
            "href": "/nurture/run?dag_id={DAG_ID}&run_id={RUN_ID}",
            "destination": "dag_run",
            "url_route": "nurture_night",
        },
    ]
