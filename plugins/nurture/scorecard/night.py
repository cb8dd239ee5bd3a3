"""One night as one report: read from what the steps left in the warehouse, never from memory."""

import json
from collections.abc import Sequence
from typing import Any

import psycopg

from nurture.contact_policy.seed_list import campaign_of, is_test_send
from nurture.scorecard.counterfactual import counterfactual
from nurture.warehouse.statements import statement


def night_report(
    connection: psycopg.Connection, *, dag_id: str, run_id: str, day: str, campaign: str | None = None
) -> dict[str, Any]:
    """What the run has done so far: loads, gates, audience, copy, model, push, dead letters; of a campaign's night that is
    run again or late also what it would have changed. Counts and ids only, nobody's data.

    Args:
        campaign: the name under which the night is kept, where that may be the one of a test send.
    """
    values = {"dag_id": dag_id, "run_id": run_id, "day": day, "campaign": campaign}
    row = connection.execute(statement("report/night.sql"), values).fetchone()
    report: dict[str, Any] = row[0] if row else {}
    is_test = is_test_send(campaign or dag_id)
    if "audience" in report and not is_test and (changes := counterfactual(connection, campaign=dag_id, day=day)):
        report["counterfactual"] = changes
    return report


def run_kind(*, is_dry: bool, name: str | None) -> dict[str, str]:
    """What a report says first of a run that is no night like the others; nothing of one that is.

    Args:
        name: under which a campaign's night is kept.
    """
    words = ["dry run: nothing was claimed, nothing was written to the CRM"] if is_dry else []
    if name and is_test_send(name):
        words.append(f"test send to the seed list of {campaign_of(name)}")
    return {"kind": "; ".join(words)} if words else {}


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
