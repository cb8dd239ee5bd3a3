"""Reading what came of a batch: every answer is judged, stored and committed, however often the reading is interrupted."""

import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

import psycopg

from nurture.copywriting import store
from nurture.copywriting.answers import judge_answer
from nurture.copywriting.batches import records
from nurture.copywriting.batches.money import BatchMoney
from nurture.copywriting.batches.records import Batch
from nurture.copywriting.batches.vendor import BatchVendor, Progress, Result
from nurture.copywriting.budget import NOTHING, Amount
from nurture.copywriting.chat_model import Answer
from nurture.copywriting.requests import CopyRequest
from nurture.copywriting.store import Run, StoredCopy
from nurture.warehouse.dead_letter import bury

log = logging.getLogger(__name__)

CHUNK = 200  # results of one transaction
Ending = Literal["completed", "expired", "cancelled", "failed", "lost"]

CLOSED_AS: Mapping[Ending, tuple[records.Closed, str]] = {
    "completed": ("harvested", "missing"),
    "expired": ("expired", "expired"),
    "cancelled": ("cancelled", "cancelled"),
    "failed": ("failed", "bad_request"),
    "lost": ("failed", "lost"),
}
"""How a batch that ended so is noted, and each of its requests of which nothing came."""


@dataclass
class Harvested:
    """What came of batches in this attempt.

    Attributes:
        copies: by request hash.
        requests: those that the vendor worked on.
        cost_usd: US dollars.
    """

    copies: dict[str, StoredCopy] = field(default_factory=dict)
    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: Decimal = Decimal(0)


class Harvest:
    """The answers of batches, as far as they are to `requests`.

    A batch of another run may hold requests that are not among these. Their answers cannot be judged here: they are left
    for that run, until its deadline is over; then only what they cost is noted.
    """

    def __init__(
        self, connection: psycopg.Connection, run: Run, vendor: BatchVendor, requests: Mapping[str, CopyRequest],
    ) -> None:  # fmt: skip
        self.connection, self.run, self.vendor, self.requests = connection, run, vendor, requests
        self.harvested = Harvested()
        self.useless: dict[str, list[Decimal]] = defaultdict(list)

    async def read(self, batch: Batch, progress: Progress, money: BatchMoney, *, is_final: bool) -> None:
        """Store the answers of a batch that has ended. With `is_final` every request is noted and the batch closed.

        Raises:
            ModelBusy, ModelRefused: the vendor did not hand the results over; what was read by then is kept.
        """
        assert batch.vendor_id is not None
        if progress.outcome != "failed":
            hashes = {self.vendor.custom_id(batch.batch_key, one): one for one in batch.request_hashes}
            async for results in _chunks(self.vendor.results(batch.vendor_id)):
                self._keep(batch, hashes, results, money, is_final=is_final)
            self._warn_of_useless(batch)
        if is_final or set(batch.request_hashes) <= set(self.requests):
            self.close(batch, _ending(batch, progress), progress.error, money)

    def close(self, batch: Batch, ending: Ending, why: str | None, money: BatchMoney) -> None:
        """Note what nothing came of, close the batch and settle its money; all or nothing."""
        state, status = CLOSED_AS[ending]
        said = why or batch.error or f"nothing came of it in a batch that ended as {ending}"
        records.note_rest(self.connection, batch, status, said)
        lost = Amount(batch.worst_case_usd, batch.worst_case_tokens) if ending == "lost" else NOTHING
        bill = records.close(self.connection, batch, state, why, lost=lost)
        if bill is not None:
            money.settle(batch, bill)
        self.connection.commit()
        log.info("Batch %s (%s): %s, %d requests, $%.6f.", batch.batch_key[:12], batch.vendor_id, state,
                 len(batch.request_hashes), bill.usd if bill else 0)  # fmt: skip

    def _keep(
        self, batch: Batch, hashes: Mapping[str, str], results: list[Result], money: BatchMoney, *, is_final: bool
    ) -> None:
        """Note and store one chunk of results, in one transaction. `hashes`: request hash by custom id."""
        kept, letters = [], []
        for result in results:
            request_hash = hashes.get(result.custom_id)
            request = self.requests.get(request_hash) if request_hash else None
            if request_hash is None or (request is None and not is_final):
                continue
            status: str = result.status
            error, piece = result.error, None
            if result.answer is not None and request is not None:
                piece = judge_answer(request, result.answer, self.vendor.sent(request.parameters))
                status, error = ("ok", None) if piece.why_not is None else ("bad_answer", piece.why_not)
            if request is None and result.answer is not None:
                self.useless[batch.batch_key].append(money.cost(batch, result.answer))
            if self._note(batch, request_hash, status, error, result.answer, money) and piece is not None:
                kept.append(piece.kept)
                letters += [piece.letter] if piece.letter else []
        self.harvested.copies |= store.keep(self.connection, batch.run, kept)
        if letters:
            bury(self.connection, letters, dag_id=self.run.dag_id, run_id=self.run.run_id)
        self.connection.commit()

    def _warn_of_useless(self, batch: Batch) -> None:
        """Say what was paid for answers that cannot be judged: their requests, with the facts in them, are gone."""
        if costs := self.useless[batch.batch_key]:
            log.warning("Batch %s: %d of its answers, for $%.6f, are thrown away: facts, template, model or audience have"
                        " changed since it was planned.", batch.batch_key[:12], len(costs), sum(costs))  # fmt: skip

    def _note(
        self, batch: Batch, request_hash: str, status: str, error: str | None, answer: Answer | None, money: BatchMoney
    ) -> bool:
        cost = money.cost(batch, answer) if answer else Decimal(0)
        prompt, completion = (answer.prompt_tokens or 0, answer.completion_tokens or 0) if answer else (0, 0)
        is_new = records.note_result(
            self.connection, batch, request_hash, status=status, error=error,
            prompt_tokens=prompt, completion_tokens=completion, cost_usd=cost,
        )  # fmt: skip
        if is_new:
            self.harvested.requests += status not in ("expired", "cancelled")
            self.harvested.prompt_tokens += prompt
            self.harvested.completion_tokens += completion
            self.harvested.cost_usd += cost
        return is_new


def _ending(batch: Batch, progress: Progress) -> Ending:
    """A cancelled batch ended as whoever cancelled it meant it; when that was none of us, it is not made again."""
    assert progress.outcome is not None
    if progress.outcome != "cancelled" or batch.error == records.SWITCHED_OFF:
        return progress.outcome
    return "expired" if batch.error == records.DEADLINE_OVER else "failed"


async def _chunks(results: AsyncIterator[Result]) -> AsyncIterator[list[Result]]:
    chunk: list[Result] = []
    async for result in results:
        chunk.append(result)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
