"""Which requests go into which batch, within the vendor's limits and the budget."""

import json
import logging
from collections.abc import Iterable, Iterator

import psycopg

from nurture.copywriting.batches import records
from nurture.copywriting.batches.money import BatchMoney
from nurture.copywriting.batches.vendor import BatchVendor
from nurture.copywriting.budget import NOTHING
from nurture.copywriting.requests import CopyRequest
from nurture.copywriting.store import Run
from nurture.policy import Batches

log = logging.getLogger(__name__)


def plan_batches(
    connection: psycopg.Connection, run: Run, requests: Iterable[CopyRequest], vendor: BatchVendor, money: BatchMoney,
    policy: Batches,
) -> str | None:  # fmt: skip
    """Plan batches for `requests`, each with its worst case reserved in the same transaction; commits each.

    Returns:
        The key in policy of the cap that leaves some out, or None. What is left out is not planned and stays static copy.
    """
    for chunk in _chunks(sorted(requests, key=lambda request: request.request_hash), vendor, policy):
        moment = records.now(connection)
        granted, worst = money.reserve(run, chunk, moment)
        if granted.calls:
            key = records.plan(
                connection, run, chunk[: granted.calls], vendor=vendor.vendor, model=vendor.model,
                worst=sum(worst, NOTHING), planned_at=moment, deadline_hours=policy.deadline_hours,
            )  # fmt: skip
            log.info("Batch %s: %d requests planned.", key[:12], granted.calls)
        connection.commit()
        if granted.capped_by is not None:
            return granted.capped_by
    return None


def _chunks(requests: list[CopyRequest], vendor: BatchVendor, policy: Batches) -> Iterator[list[CopyRequest]]:
    most = min(policy.max_requests_per_batch, vendor.max_requests)
    chunk: list[CopyRequest] = []
    size = 0
    for request in requests:
        line = len(json.dumps(vendor.line("0" * 64, request))) + 2
        if chunk and (len(chunk) == most or size + line > vendor.max_bytes):
            yield chunk
            chunk, size = [], 0
        chunk.append(request)
        size += line
    if chunk:
        yield chunk
