"""One run's batches, from the requests that are missing to what came of them.

`run_batches` goes as far as it can and says what is to be waited for. Nothing is remembered but `ops.llm_batch`: whoever
calls it again, after the wait or after a kill, finds every batch again and makes none twice.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import psycopg

from nurture.copywriting.batches import records
from nurture.copywriting.batches.harvest import Harvest, Harvested
from nurture.copywriting.batches.keeper import Keeper
from nurture.copywriting.batches.money import BatchMoney
from nurture.copywriting.batches.planning import plan_batches
from nurture.copywriting.batches.records import Batch
from nurture.copywriting.batches.vendor import BatchVendor
from nurture.copywriting.requests import CopyRequest
from nurture.copywriting.store import Run
from nurture.copywriting.switch import is_on
from nurture.policy import Llm

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Waiting:
    """What has to happen before it is worth while to look again.

    Attributes:
        vendor_ids: batches of which one must have ended; none: only time must pass.
        until: look again then at the latest.
    """

    vendor_ids: tuple[str, ...]
    until: datetime


@dataclass
class BatchOutcome:
    """How far a run's batches are.

    Attributes:
        harvested: what came of those that have ended.
        waiting: None when there is nothing left to wait for.
        rest: requests that batches are done with, but gave no answer to, and that may be asked for in another way. Where the
            vendor refuses everything or the model has no price, also those that were put into no batch.
        capped_by: the key in policy of the cap that left some out, if one did.
        refusal: why the vendor will answer nothing at all, if so.
    """

    harvested: Harvested
    waiting: Waiting | None = None
    rest: list[CopyRequest] = field(default_factory=list)
    capped_by: str | None = None
    switched_off: bool = False
    refusal: str | None = None
    unpriced: bool = False


async def run_batches(
    connection: psycopg.Connection, run: Run, requests: Sequence[CopyRequest], vendor: BatchVendor, policy: Llm, *,
    plans: bool = True,
) -> BatchOutcome:  # fmt: skip
    """Plan, submit, look after and harvest the batches of `run`. Commits as it goes.

    Args:
        requests: what the store does not have.
        plans: whether batches are planned and made; if not, the outcome's `rest` has what no batch has dealt with, too.
    """
    with records.alone(connection):
        batch_run = _BatchRun(connection, run, requests, vendor, policy, plans=plans)
        await batch_run.look_after_open()
        if plans:
            batch_run.plan_fresh()
            await batch_run.look_after_open()
        return batch_run.outcome(only_dealt_with=plans)


class _BatchRun:
    def __init__(
        self, connection: psycopg.Connection, run: Run, requests: Sequence[CopyRequest], vendor: BatchVendor, policy: Llm, *,
        plans: bool,
    ) -> None:  # fmt: skip
        self.connection, self.run, self.vendor, self.policy = connection, run, vendor, policy
        self.needed = {request.request_hash: request for request in requests}
        self.money = BatchMoney(connection, policy, vendor.model)
        self.harvest = Harvest(connection, run, vendor, self.needed)
        self.keeper = Keeper(connection, run, self.needed, vendor, policy.batch, self.money, self.harvest, makes=plans)
        self.is_priced = self.money.price(records.now(connection)) is not None
        self.may_cost = self.is_priced or policy.allow_unpriced_models
        self.capped_by: str | None = None
        self.seen: set[str] = set()

    async def look_after_open(self) -> None:
        """Bring every open batch as far as it goes, those that were brought there before left alone."""
        for batch in self._open():
            if batch.batch_key not in self.seen:
                self.seen.add(batch.batch_key)
                await self.keeper.look_after(batch)

    def plan_fresh(self) -> None:
        """Plan batches for what no batch of this run has dealt with, and none may still bring."""
        if not self._is_on() or self.keeper.refusal is not None or not self.may_cost:
            return
        dealt_with = records.tried(self.connection, self.run).keys() | records.held(self.connection, self._open())
        fresh = [one for one in self._unanswered() if one.request_hash not in dealt_with]
        self.capped_by = plan_batches(self.connection, self.run, fresh, self.vendor, self.money, self.policy.batch)

    def outcome(self, *, only_dealt_with: bool) -> BatchOutcome:
        outcome = BatchOutcome(
            self.harvest.harvested, capped_by=self.capped_by, switched_off=not self._is_on(),
            refusal=self.keeper.refusal, unpriced=not self.is_priced,
        )  # fmt: skip
        if self.keeper.look_again and not outcome.switched_off and outcome.refusal is None:
            outcome.waiting = Waiting(tuple(self.keeper.awaited), min(self.keeper.look_again))
        else:
            makes_none = outcome.refusal is not None or not self.may_cost
            outcome.rest = self._rest(only_dealt_with=only_dealt_with and not makes_none)
        return outcome

    def _open(self) -> list[Batch]:
        return records.open_batches(self.connection, self.run, self.needed)

    def _rest(self, *, only_dealt_with: bool) -> list[CopyRequest]:
        """What may be asked for in another way: no batch may still be paid for it."""
        is_lost = records.tried(self.connection, self.run)
        if only_dealt_with:
            return [one for one in self._unanswered() if is_lost.get(one.request_hash) is False]
        paid_for = {one for one, lost in is_lost.items() if lost} | records.held(self.connection, self._open())
        return [one for one in self._unanswered() if one.request_hash not in paid_for]

    def _unanswered(self) -> list[CopyRequest]:
        return [one for one in self.needed.values() if one.request_hash not in self.harvest.harvested.copies]

    def _is_on(self) -> bool:
        may = is_on(self.connection, self.run.campaign)
        self.connection.commit()
        return may
