"""Airflow leaves the apps of plugins open to everyone: every page must ask who is there."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nurture.paths import PROJECT

pytestmark = pytest.mark.airflow

RUN = "dag_id=customer_data&run_id=r"
PAGES = ["/nurture/", f"/nurture/run?{RUN}", f"/nurture/data-docs?{RUN}&gate=g", "/nurture/message?message_id=m",
         "/nurture/review?campaign=c&day=2026-11-20", "/nurture/dead-letters", f"/nurture/dry-run?{RUN}"]  # fmt: skip
UNLISTED = ["/nurture/docs", "/nurture/redoc", "/nurture/openapi.json"]


def test_only_who_is_logged_in_sees_the_pages(warehouse_url: str) -> None:
    environment = {
        **os.environ, "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"), "AIRFLOW_CONN_WAREHOUSE": warehouse_url,
        "AIRFLOW__API_AUTH__JWT_SECRET": "a secret of this test, long enough for a signature",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "v:viewer",
    }  # fmt: skip
    subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], check=True, capture_output=True, env=environment)

    script = Path(__file__).with_name("scorecard_in_airflow.py")
    asked = subprocess.run([sys.executable, script, *PAGES, *UNLISTED], capture_output=True, text=True, env=environment)

    assert asked.returncode == 0, asked.stderr[-3000:]
    said = json.loads(asked.stdout.strip().splitlines()[-1])
    for page in PAGES:
        answer = said["answers"][page]
        expected = 200 if page in ("/nurture/", "/nurture/dead-letters") else 404
        assert (answer["nobody"], answer["forged"]) == (401, 403), page
        assert (answer["viewer"], answer["viewer_by_cookie"]) == (expected, expected), page
    assert "Latest nights" in said["answers"]["/nurture/"]["text"]
    assert "No report of this run yet" in said["answers"][PAGES[1]]["text"]
    assert {said["answers"][page]["viewer"] for page in UNLISTED} == {404}
    assert said["views"] == ["nav", "dag_run"]


def test_the_plugin_file_does_not_import_the_pages() -> None:
    code = "import sys, nurture_plugin; sys.exit(any(name in sys.modules for name in ('fastapi', 'nurture.scorecard.app')))"
    kept = {**os.environ, "PYTHONPATH": str(PROJECT / "plugins")}

    assert subprocess.run([sys.executable, "-c", code], env=kept).returncode == 0
