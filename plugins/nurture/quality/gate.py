"""Run one gate: Great Expectations judges the run's slice, and what it found is kept in the warehouse."""

import datetime
import logging
from collections.abc import Sequence

import psycopg

from nurture.policy import Policy
from nurture.quality.checks import read_checks
from nurture.quality.record import record
from nurture.quality.verdict import GateBroken, Verdict


def run_gate(
    connection: psycopg.Connection,
    *,
    tables: Sequence[str],
    day: datetime.date,
    campaign: str | None = None,
    dag_id: str,
    run_id: str,
    gate: str,
    policy: Policy,
) -> Verdict:
    """Judge `tables` by their check files, keep the results and the Data Docs page, and commit.

    Great Expectations reads over a connection of its own, read-only, to the same database: commit what it shall see.

    Args:
        tables: names of check files, e.g. `staging.events`.
        day: the night's last complete GA4 day.
        campaign: needed by the tables of one campaign.
        gate: the gate's task id.

    Raises:
        ConfigError: a check file is wrong.
        GateBroken: a check could not be evaluated; all results are recorded, this one as `error`.
    """
    # Imported after Airflow it logs some 200 lines at INFO while it loads.
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    from nurture.quality.data_docs import render_page
    from nurture.quality.evaluate import Evaluation, warehouse_source

    files = [read_checks(table) for table in tables]
    night = {"day": day, "dag_id": dag_id, "run_id": run_id} | ({"campaign": campaign} if campaign else {})
    with warehouse_source(connection.info) as source:
        evaluations = [Evaluation.of(file, source, policy, night) for file in files]
    verdict = Verdict(gate, tuple(result for evaluation in evaluations for result in evaluation.results))
    html = render_page(
        [evaluation.suite_result for evaluation in evaluations if evaluation.suite_result], gate=gate, day=day
    )
    record(connection, verdict, dag_id=dag_id, run_id=run_id, day=day, html=html)
    connection.commit()
    _raise_when_broken(verdict)
    return verdict


def _raise_when_broken(verdict: Verdict) -> None:
    broken = [result for result in verdict.results if result.status == "error"]
    if broken:
        lines = "\n".join(f"- {result.check_name} on {result.table_name}: {result.detail}" for result in broken)
        raise GateBroken(
            f"Gate {verdict.gate}: {len(broken)} checks could not be evaluated, so the night may not go on:\n{lines}\n"
            "Mend the table or the check file, then clear this task."
        )
