"""`ops.llm_batch`: what is known of each batch, committed before and after every step, so that a killed worker can go on.

States: `planned` → `submitted` → `harvested` (it ended and was read) | `expired` (its time was up) | `failed` (the vendor
refused or lost it) | `cancelled` (the switch went off, or it was never made and is no longer wanted).
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

import psycopg
from psycopg.rows import class_row

from nurture.copywriting.budget import NOTHING, Amount
from nurture.copywriting.pieces import sha256, storable
from nurture.copywriting.requests import CopyRequest
from nurture.copywriting.store import Run
from nurture.warehouse.statements import statement

BATCH_LOCK = 7_262_010  # one attempt at a time plans, submits and harvests; the lock ends with the attempt's session

ABANDONED_AFTER = timedelta(days=1)  # behind its deadline, a batch is closed by whichever run of its campaign comes by

SWITCHED_OFF = "cancelled: the switch is off"
DEADLINE_OVER = "cancelled: the deadline passed"

Closed = Literal["harvested", "expired", "failed", "cancelled"]


@dataclass(frozen=True)
class Batch:
    """One row of `ops.llm_batch` whose end was not read yet."""

    batch_key: str
    dag_id: str
    run_id: str
    campaign: str
    vendor: str
    model: str
    template_id: str
    template_version: int
    state: Literal["planned", "submitted"]
    vendor_id: str | None
    request_hashes: list[str]
    worst_case_usd: Decimal
    worst_case_tokens: int
    planned_at: datetime
    attempted_at: datetime | None
    submitted_at: datetime | None
    cancel_asked_at: datetime | None
    deadline: datetime
    error: str | None

    def is_of(self, run: Run) -> bool:
        return (self.dag_id, self.run_id) == (run.dag_id, run.run_id)

    @property
    def run(self) -> Run:
        """Whose money it is."""
        return Run(self.dag_id, self.run_id, self.campaign)


@contextmanager
def alone(connection: psycopg.Connection) -> Iterator[None]:
    """Keep every other attempt, of any run, from planning and submitting meanwhile. A dead attempt holds nobody up."""
    connection.execute("SELECT pg_advisory_lock(%s)", (BATCH_LOCK,))
    connection.commit()
    try:
        yield
    finally:
        if not connection.closed:
            connection.rollback()
            connection.execute("SELECT pg_advisory_unlock(%s)", (BATCH_LOCK,))
            connection.commit()


def now(connection: psycopg.Connection) -> datetime:
    """The warehouse's clock: the only one by which batches are timed."""
    row = connection.execute("SELECT clock_timestamp()").fetchone()
    connection.commit()
    assert row is not None
    moment: datetime = row[0]
    return moment


def open_batches(connection: psycopg.Connection, run: Run, request_hashes: Collection[str]) -> list[Batch]:
    """The open batches that concern `run`, which needs `request_hashes`, at whichever vendor; oldest first."""
    values = {
        "dag_id": run.dag_id, "run_id": run.run_id, "campaign": run.campaign,
        "request_hashes": list(request_hashes), "abandoned_after": ABANDONED_AFTER,
    }  # fmt: skip
    with connection.cursor(row_factory=class_row(Batch)) as cursor:
        rows = cursor.execute(statement("copy/batch_open.sql"), values).fetchall()
    connection.commit()
    return rows


def may_concern(connection: psycopg.Connection, run: Run) -> bool:
    """Whether `run` has, or had, batches, or any other run's are open: what it needs may have been paid for there."""
    row = connection.execute(
        statement("copy/batch_may_concern.sql"), {"dag_id": run.dag_id, "run_id": run.run_id}
    ).fetchone()
    connection.commit()
    return row is not None and bool(row[0])


def vendor_ids(connection: psycopg.Connection, vendor: str) -> set[str]:
    """The ids of all batches of which we know which they are."""
    rows = connection.execute(
        "SELECT vendor_id FROM ops.llm_batch WHERE vendor = %s AND vendor_id IS NOT NULL", (vendor,)
    ).fetchall()
    connection.commit()
    return {row[0] for row in rows}


def tried(connection: psycopg.Connection, run: Run) -> dict[str, bool]:
    """Request hashes that batches of `run` have dealt with, and whether one may still be paid for without an answer."""
    rows = connection.execute(statement("copy/batch_tried.sql"), {"dag_id": run.dag_id, "run_id": run.run_id}).fetchall()
    connection.commit()
    return dict(rows)


def held(connection: psycopg.Connection, batches: Sequence[Batch]) -> set[str]:
    """Request hashes of which these open batches may still bring an answer."""
    rows = connection.execute(
        "SELECT request_hash FROM ops.llm_call WHERE batch_key = ANY(%s)", ([batch.batch_key for batch in batches],)
    ).fetchall()
    connection.commit()
    return {one for batch in batches for one in batch.request_hashes} - {row[0] for row in rows}


def plan(
    connection: psycopg.Connection, run: Run, requests: Sequence[CopyRequest], *,
    vendor: str, model: str, worst: Amount, planned_at: datetime, deadline_hours: float,
) -> str:  # fmt: skip
    """Plan one batch and return its key. Commits nothing: the money is set aside in the same transaction."""
    hashes = sorted(request.request_hash for request in requests)
    row = connection.execute(
        "SELECT count(*) FROM ops.llm_batch WHERE dag_id = %s AND run_id = %s", (run.dag_id, run.run_id)
    ).fetchone()
    batch_key = sha256({"dag_id": run.dag_id, "run_id": run.run_id, "earlier": row and row[0], "requests": hashes})
    template = requests[0].template
    values = {
        "batch_key": batch_key, "dag_id": run.dag_id, "run_id": run.run_id, "campaign": run.campaign, "vendor": vendor,
        "model": model, "template_id": template.id, "template_version": template.version, "request_hashes": hashes,
        "worst_case_usd": worst.usd, "worst_case_tokens": worst.tokens, "planned_at": planned_at,
        "deadline": planned_at + timedelta(hours=deadline_hours),
    }  # fmt: skip
    connection.execute(statement("copy/batch_plan.sql"), values)
    return batch_key


def note_attempt(connection: psycopg.Connection, batch_key: str) -> None:
    """Say, before anything is risked, that the batch may exist from now on. Commits."""
    connection.execute("UPDATE ops.llm_batch SET attempted_at = clock_timestamp() WHERE batch_key = %s", (batch_key,))
    connection.commit()


def note_submitted(connection: psycopg.Connection, batch_key: str, vendor_id: str) -> None:
    """Commits."""
    connection.execute(
        "UPDATE ops.llm_batch SET state = 'submitted', vendor_id = %s, submitted_at = clock_timestamp()"
        " WHERE batch_key = %s",
        (vendor_id, batch_key),
    )
    connection.commit()


def note_cancel_asked(connection: psycopg.Connection, batch_key: str, why: str) -> None:
    """Commits. A second call changes nothing."""
    connection.execute(
        "UPDATE ops.llm_batch SET cancel_asked_at = clock_timestamp(), error = %s"
        " WHERE batch_key = %s AND cancel_asked_at IS NULL",
        (storable(why)[:1000], batch_key),
    )
    connection.commit()


def note_result(connection: psycopg.Connection, batch: Batch, request_hash: str, **values: Any) -> bool:
    """Note one result; False: it was noted before. Commits nothing: the piece is stored in the same transaction."""
    values["error"] = storable(values["error"])[:1000] if values["error"] else None
    row = connection.execute(
        statement("copy/batch_note_result.sql"), {"batch_key": batch.batch_key, "request_hash": request_hash, **values}
    ).fetchone()
    return row is not None


def note_rest(connection: psycopg.Connection, batch: Batch, status: str, error: str) -> None:
    """Note every request that was not noted yet as `status`. Commits nothing."""
    connection.execute(
        statement("copy/batch_note_rest.sql"),
        {"batch_key": batch.batch_key, "status": status, "error": storable(error)[:1000]},
    )


def close(
    connection: psycopg.Connection, batch: Batch, state: Closed, error: str | None, *, lost: Amount = NOTHING
) -> Amount | None:
    """Close a batch and return what it came to; None when someone closed it before. Commits nothing.

    Args:
        lost: to be counted besides the answers that were seen.
    """
    said = storable(error)[:1000] if error else None
    values = {"batch_key": batch.batch_key, "state": state, "error": said, "lost_usd": lost.usd, "lost_tokens": lost.tokens}
    row = connection.execute(statement("copy/batch_close.sql"), values).fetchone()
    return Amount(Decimal(row[0]), int(row[1])) if row else None
