"""Nurture: AI marketing for Apache Airflow that checks its data, its claims and its consent."""

__version__ = "0.1.0"
