"""What a gate found, kept in the warehouse, and read back by whoever reports on a run."""

import datetime
import json
from collections.abc import Sequence

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from nurture.quality.verdict import CheckResult, Verdict

_INSERT = """
INSERT INTO ops.gate_result (dag_id, run_id, gate, check_name, day, table_name, severity, status, observed, threshold,
                             unit, detail, sample_keys)
VALUES (%(dag_id)s, %(run_id)s, %(gate)s, %(check_name)s, %(day)s, %(table_name)s, %(severity)s, %(status)s, %(observed)s,
        %(threshold)s, %(unit)s, %(detail)s, %(sample_keys)s)
"""

_FORGET = sql.SQL("DELETE FROM {} WHERE dag_id = %(dag_id)s AND run_id = %(run_id)s AND gate = ANY (%(gates)s)")

_KEEP_PAGE = """
INSERT INTO ops.data_docs (dag_id, run_id, gate, html) VALUES (%(dag_id)s, %(run_id)s, %(gate)s, %(html)s)
ON CONFLICT (dag_id, run_id, gate) DO UPDATE SET html = excluded.html, made_at = clock_timestamp()
"""

_FAILED = """
SELECT check_name, table_name, severity, status, observed, threshold, unit, detail,
       ARRAY(SELECT jsonb_array_elements_text(sample_keys)) AS sample_keys
FROM ops.gate_result
WHERE dag_id = %(dag_id)s AND run_id = %(run_id)s AND status IN ('fail', 'error')
ORDER BY checked_at, check_name
"""


def forget(connection: psycopg.Connection, *, dag_id: str, run_id: str, gates: Sequence[str]) -> None:
    """Drop what `gates` found in earlier attempts of a run, pages included, and commit: the last attempt judges a run."""
    run = {"dag_id": dag_id, "run_id": run_id, "gates": list(gates)}
    for table in ("gate_result", "data_docs"):
        connection.execute(_FORGET.format(sql.Identifier("ops", table)), run)
    connection.commit()


def record(
    connection: psycopg.Connection, verdict: Verdict, *, dag_id: str, run_id: str, day: datetime.date, html: str
) -> None:
    """Keep a gate's results and its page; an earlier attempt's are replaced."""
    run = {"dag_id": dag_id, "run_id": run_id, "gate": verdict.gate}
    rows = [{**vars(result), **run, "day": day, "sample_keys": json.dumps(result.sample_keys)} for result in verdict.results]
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM ops.gate_result WHERE dag_id = %(dag_id)s AND run_id = %(run_id)s AND gate = %(gate)s", run
        )
        cursor.executemany(_INSERT, rows)
        cursor.execute(_KEEP_PAGE, {**run, "html": html})


def stopped_by(connection: psycopg.Connection, dag_id: str, run_id: str) -> list[CheckResult]:
    """The checks that stopped a run (failed, or could not be evaluated), oldest first; none: it was not stopped."""
    with connection.cursor(row_factory=class_row(CheckResult)) as cursor:
        return cursor.execute(_FAILED, {"dag_id": dag_id, "run_id": run_id}).fetchall()
