"""The Airflow connection `crm`, set for one test."""

import json

import pytest


def connect(monkeypatch: pytest.MonkeyPatch, url: str, token: str, api_version: str = "v3") -> None:
    """Point the Airflow connection `crm` somewhere."""
    connection = {"conn_type": "http", "host": url, "password": token, "extra": {"api_version": api_version}}
    monkeypatch.setenv("AIRFLOW_CONN_CRM", json.dumps(connection))
