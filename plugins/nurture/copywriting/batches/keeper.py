"""What is done with one open batch, wherever an attempt left it: found again, made, cancelled, harvested or waited for."""

import logging
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import psycopg

from nurture.copywriting.batches import records
from nurture.copywriting.batches.harvest import Harvest
from nurture.copywriting.batches.money import BatchMoney
from nurture.copywriting.batches.records import Batch
from nurture.copywriting.batches.vendor import BatchVendor
from nurture.copywriting.chat_model import ModelBusy, ModelRefused
from nurture.copywriting.requests import CopyRequest
from nurture.copywriting.store import Run
from nurture.copywriting.switch import is_on
from nurture.policy import Batches

log = logging.getLogger(__name__)

CLOCK_SKEW = timedelta(minutes=10)  # between the warehouse and the vendor
BUSY_PAUSE = timedelta(minutes=5)  # before a vendor that gave no answer is asked again


class SwitchedOff(Exception):
    """The switch went off before the batch was made."""


class NotYet(Exception):
    """It shows at `when` whether the batch was made, or when one of `awaited` has ended."""

    def __init__(self, when: datetime, why: str, awaited: Collection[str] = ()) -> None:
        super().__init__(why)
        self.when, self.awaited = when, awaited


class Keeper:
    """Looks after batches for one run.

    Args:
        makes: whether it makes those that are planned, or withdraws them.

    Attributes:
        awaited: batches that are worked on at the vendor.
        look_again: when it is worth while to look again at the latest; empty: nothing is waited for.
        refusal: why the vendor answers nothing at all, if so.
    """

    def __init__(
        self, connection: psycopg.Connection, run: Run, requests: Mapping[str, CopyRequest], vendor: BatchVendor,
        policy: Batches, money: BatchMoney, harvest: Harvest, *, makes: bool,
    ) -> None:  # fmt: skip
        self.connection, self.run, self.requests, self.vendor = connection, run, requests, vendor
        self.policy, self.money, self.harvest = policy, money, harvest
        self.makes = makes
        self.awaited: list[str] = []
        self.look_again: list[datetime] = []
        self.refusal: str | None = None

    async def look_after(self, batch: Batch) -> None:
        """Bring `batch` as far as it goes now."""
        if batch.vendor != self.vendor.vendor:
            self._settle_elsewhere(batch)
            return
        try:
            vendor_id = batch.vendor_id
            if vendor_id is None:
                vendor_id = await self._attach(batch) or await self._make(batch)
                if vendor_id is None:
                    return
                records.note_submitted(self.connection, batch.batch_key, vendor_id)
                batch = replace(batch, vendor_id=vendor_id)
            await self._follow(batch, vendor_id)
        except NotYet as error:
            self._wait_or_give_up(batch, error.when, str(error), error.awaited)
        except ModelBusy as error:
            log.warning("Batch %s: no answer from the vendor: %s", batch.batch_key[:12], error)
            self._wait_or_give_up(batch, self._now() + BUSY_PAUSE, str(error))
        except ModelRefused as error:
            log.error("Batch %s: the vendor refuses: %s", batch.batch_key[:12], error)
            self.refusal = str(error)

    async def _attach(self, batch: Batch) -> str | None:
        """The id of a batch that an earlier attempt made, or may have made, without noting its id.

        Raises:
            NotYet: it cannot be told yet.
        """
        if batch.attempted_at is None:
            return None
        others = records.vendor_ids(self.connection, self.vendor.vendor)
        since, size = batch.planned_at - CLOCK_SKEW, len(batch.request_hashes)
        found = await self.vendor.find(batch.batch_key, since, size=size, others=others)
        if found.perhaps:
            why = f"it may be one of {len(found.perhaps)} batches that still run"
            raise NotYet(batch.deadline, why, found.perhaps)
        if found.vendor_id is not None:
            log.info("Batch %s was made by an earlier attempt: %s.", batch.batch_key[:12], found.vendor_id)
        elif self._now() < (listed_at := batch.attempted_at + timedelta(seconds=self.policy.list_lag_seconds)):
            raise NotYet(listed_at, "it is not in the vendor's list, which may lag behind")
        return found.vendor_id

    async def _make(self, batch: Batch) -> str | None:
        """Submit a batch that is certainly not at the vendor; None when it is not wanted any more, or was refused."""
        if not self._may_ask(batch):
            self._withdraw(batch, records.SWITCHED_OFF)
            return None
        if self._is_overdue(batch):
            self.harvest.close(batch, "expired", "the deadline passed before it was submitted", self.money)
            return None
        if not self.makes:
            self._withdraw(batch, "cancelled: never made, and now its requests are asked one by one")
            return None
        wanted = [self.requests[one] for one in batch.request_hashes if one in self.requests]
        if not batch.is_of(self.run) or len(wanted) < len(batch.request_hashes):
            self._withdraw(batch, f"cancelled: never made, and {batch.run_id} no longer needs it as it was planned")
            return None
        try:
            lines = [self.vendor.line(batch.batch_key, request) for request in wanted]
            return await self.vendor.submit(batch.batch_key, lines, lambda: self._before_making(batch))
        except SwitchedOff:
            self._withdraw(batch, records.SWITCHED_OFF)
            return None
        except ModelRefused as error:
            if error.concerns_all:
                self._withdraw(batch, str(error))
                self.refusal = str(error)
            else:
                self.harvest.close(batch, "failed", str(error), self.money)
            return None

    def _before_making(self, batch: Batch) -> None:
        if not self._may_ask(batch):
            raise SwitchedOff
        records.note_attempt(self.connection, batch.batch_key)

    async def _follow(self, batch: Batch, vendor_id: str) -> None:
        """Harvest a batch that has ended; cancel one that is no longer wanted; wait for any other."""
        progress = await self.vendor.progress(vendor_id)
        if progress.outcome is None and (why := self._why_cancel(batch)):
            records.note_cancel_asked(self.connection, batch.batch_key, why)
            batch = replace(batch, error=batch.error or why)
            await self.vendor.cancel(vendor_id)
            progress = await self.vendor.progress(vendor_id)
        if progress.outcome is None:
            why = "the vendor did not end it after it was cancelled"
            self._wait_or_give_up(batch, batch.deadline, why, (vendor_id,))
        else:
            await self.harvest.read(batch, progress, self.money, is_final=self._is_ours(batch))

    def _settle_elsewhere(self, batch: Batch) -> None:
        """Close a batch at another vendor, whom this connection does not reach, once nobody will come back for it."""
        if batch.attempted_at is None and batch.vendor_id is None and self._is_ours(batch):
            self._withdraw(batch, f"cancelled: never made, and {batch.vendor} is no longer asked")
        elif self._is_abandoned(batch):
            self.harvest.close(batch, "lost", f"it is at {batch.vendor}, which is no longer asked", self.money)
        else:
            log.warning("Batch %s of %d requests is at %s, which is no longer asked: unless a run with a connection there"
                        " comes by before %s, its answers are lost.", batch.batch_key[:12], len(batch.request_hashes),
                        batch.vendor, batch.deadline + records.ABANDONED_AFTER)  # fmt: skip

    def _wait_or_give_up(self, batch: Batch, until: datetime, why: str, awaited: Collection[str] = ()) -> None:
        last = batch.deadline + timedelta(seconds=self.policy.cancel_seconds)
        if self._now() < last:
            self.look_again.append(until if self._now() < until else last)
            self.awaited += awaited
        elif not self._is_ours(batch):
            return
        elif batch.attempted_at is None and batch.vendor_id is None:
            self.harvest.close(batch, "expired", why, self.money)
        else:  # it may have been worked on, so it stays on the bill
            self.harvest.close(batch, "lost", why, self.money)

    def _withdraw(self, batch: Batch, why: str) -> None:
        """Close a batch that was never made; its requests may go into another one."""
        if records.close(self.connection, batch, "cancelled", why) is not None:
            self.money.settle(batch)
        self.connection.commit()

    def _why_cancel(self, batch: Batch) -> str | None:
        return records.DEADLINE_OVER if self._is_overdue(batch) else None if self._may_ask(batch) else records.SWITCHED_OFF

    def _may_ask(self, batch: Batch) -> bool:
        may = is_on(self.connection, batch.campaign)
        self.connection.commit()
        return may

    def _is_ours(self, batch: Batch) -> bool:
        """Whether this run may close `batch`: it is its own, or so old that its own run will not come back."""
        return batch.is_of(self.run) or self._is_abandoned(batch)

    def _is_abandoned(self, batch: Batch) -> bool:
        return self._now() >= batch.deadline + records.ABANDONED_AFTER

    def _is_overdue(self, batch: Batch) -> bool:
        return self._now() >= batch.deadline

    def _now(self) -> datetime:
        return records.now(self.connection)
