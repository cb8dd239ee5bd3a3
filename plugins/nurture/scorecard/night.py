"""One night as one report: read from what the steps left in the warehouse, never from memory."""

import json
from collections.abc import Sequence
from typing import Any

import psycopg

from nurture.warehouse.statements import statement


def night_report(connection: psycopg.Connection, *, dag_id: str, run_id: str, day: str) -> dict[str, Any]:
    """What the run has done so far: loads, gates, audience, copy, model, push, dead letters. Counts only, nobody's data."""
    values = {"dag_id": dag_id, "run_id": run_id, "day": day}
    row = connection.execute(statement("report/night.sql"), values).fetchone()
    report: dict[str, Any] = row[0] if row else {}
    return report


def stop_reason(connection: psycopg.Connection, *, dag_id: str, run_id: str, not_run: Sequence[str] = ()) -> str | None:
    """Why a gate stopped this run, or could not judge it; else None.

    Args:
        not_run: steps that were not reached this time: what gates among them found is of an earlier attempt.
    """
    values = {"dag_id": dag_id, "run_id": run_id, "not_run": list(not_run)}
    row = connection.execute(statement("report/stop_reason.sql"), values).fetchone()
    return str(row[0]) if row else None


def keep_report(
    connection: psycopg.Connection,
    *,
    dag_id: str,
    run_id: str,
    day: str,
    outcome: str,
    reason: str | None,
    report: dict[str, Any],
    decides_trust: bool,
) -> None:
    """Write `ops.run_report`; a `customer_data` run that a gate stopped also makes its day untrusted."""
    values = {"dag_id": dag_id, "run_id": run_id, "day": day, "outcome": outcome, "reason": reason,
              "report": json.dumps({"reason": reason, **report} if reason else report)}  # fmt: skip
    connection.execute(
        """
        INSERT INTO ops.run_report (dag_id, run_id, day, outcome, report)
        VALUES (%(dag_id)s, %(run_id)s, %(day)s::date, %(outcome)s, %(report)s::json)
        ON CONFLICT (dag_id, run_id) DO UPDATE SET
            day = excluded.day, outcome = excluded.outcome, report = excluded.report, made_at = clock_timestamp()
        """,
        values,
    )
    if decides_trust and outcome == "stopped":
        connection.execute(
            """
            INSERT INTO ops.trusted_day (day, status, reason, run_id)
            VALUES (%(day)s::date, 'stopped', %(reason)s, %(run_id)s)
            ON CONFLICT (day) DO UPDATE SET
                status = 'stopped', reason = excluded.reason, run_id = excluded.run_id, decided_at = clock_timestamp()
            """,
            values,
        )
