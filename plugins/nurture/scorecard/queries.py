"""What the pages show, read from the warehouse."""

from typing import Any

import psycopg
from psycopg.rows import dict_row

from nurture.scorecard.night import night_report
from nurture.warehouse.statements import statement

Row = dict[str, Any]


def nights(connection: psycopg.Connection) -> list[Row]:
    """The latest nights, newest first."""
    return _rows(connection, "scorecard/nights.sql")


def run(connection: psycopg.Connection, dag_id: str, run_id: str) -> Row | None:
    """One night: `day`, `outcome`, `reason`, `report`, `made_at`; None when nothing is known of it.

    A night that has not reported yet (a person may take half a day to decide) is shown as it stands now.
    """
    rows = _rows(connection, "scorecard/run.sql", dag_id=dag_id, run_id=run_id)
    if not rows:
        return None
    night = rows[0]
    if night["outcome"] == "running":
        night["report"] = night_report(connection, dag_id=dag_id, run_id=run_id, day=str(night["day"]))
    return night


def gate_results(connection: psycopg.Connection, dag_id: str, run_id: str) -> dict[str, list[Row]]:
    """The checks of one night by gate, gates in the order in which they ran."""
    gates: dict[str, list[Row]] = {}
    for row in _rows(connection, "scorecard/gate_results.sql", dag_id=dag_id, run_id=run_id):
        gates.setdefault(row["gate"], []).append(row)
    return gates


def messages(connection: psycopg.Connection, campaign: str, day: str) -> list[Row]:
    """The messages of one campaign's night, the most widely used first; none of a DAG that is no campaign."""
    return _rows(connection, "scorecard/night_messages.sql", campaign=campaign, day=day)


def message(connection: psycopg.Connection, message_id: str) -> Row | None:
    """Where one message comes from: a row of `ops.message_lineage`; None when there is no such message."""
    rows = _rows(connection, "scorecard/message.sql", message_id=message_id)
    return rows[0] if rows else None


def recipients(connection: psycopg.Connection, message_id: str, person_id: str | None = None) -> list[Row]:
    """Who has the message, at most 20, or one person: rows of `ops.message_recipient`."""
    return _rows(connection, "scorecard/message_recipients.sql", message_id=message_id, person_id=person_id)


def dry_run_counts(connection: psycopg.Connection, dag_id: str, run_id: str) -> list[Row]:
    """What would become of how many messages, and why."""
    return _rows(connection, "scorecard/dry_run_counts.sql", dag_id=dag_id, run_id=run_id)


def dry_run_rows(connection: psycopg.Connection, dag_id: str, run_id: str) -> list[Row]:
    """The first messages of a dry run with what would change on the contact. Personal data."""
    return _rows(connection, "scorecard/dry_run_rows.sql", dag_id=dag_id, run_id=run_id)


def review(connection: psycopg.Connection, campaign: str, day: str) -> list[Row]:
    """Flagged copy of one campaign's night and what was decided on it."""
    return _rows(connection, "scorecard/review.sql", campaign=campaign, day=day)


def data_docs(connection: psycopg.Connection, dag_id: str, run_id: str, gate: str) -> str | None:
    """The HTML that Great Expectations made for one gate, if it ran."""
    rows = _rows(connection, "scorecard/data_docs.sql", dag_id=dag_id, run_id=run_id, gate=gate)
    return rows[0]["html"] if rows else None


def _rows(connection: psycopg.Connection, name: str, **parameters: str | None) -> list[Row]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement(name), parameters).fetchall()
