"""Batches that a vendor has taken in, whichever it is: how they pass, how they end, how they are told to go wrong."""

import math
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal["succeeded", "errored", "expired", "canceled"]
Share = Annotated[float, Field(ge=0, le=1)]


class BatchFaults(BaseModel):
    """How batches pass and end from now on, also those that were made before and have not ended.

    Attributes:
        seconds: from making a batch to its end.
        done_share: part of the requests that is finished when the batch expires or is cancelled; the first ones.
        expires: the batch's time is up before it is finished.
        error_share: part of the requests, from the last one on, that end in an error of their own.
        refuse_batch: the whole batch fails its validation with this code.
        shuffle: results come in another order.
        list_lag_seconds: how long a new batch is missing from the list.
        hidden_seconds: how long asking for a new batch by its id gives 404.
        cancel_seconds: from asking for a cancellation to the end.
        lost_answers: so many batches are made without saying so: the connection is closed.
        refused_creates: so many requests to make a batch end in HTTP 500, and make none.
    """

    model_config = ConfigDict(extra="forbid")

    seconds: Annotated[float, Field(ge=0)] = 0
    done_share: Share = 1.0
    expires: bool = False
    error_share: Share = 0.0
    refuse_batch: str | None = None
    shuffle: bool = False
    list_lag_seconds: Annotated[float, Field(ge=0)] = 0
    hidden_seconds: Annotated[float, Field(ge=0)] = 0
    cancel_seconds: Annotated[float, Field(ge=0)] = 0
    lost_answers: Annotated[int, Field(ge=0)] = 0
    refused_creates: Annotated[int, Field(ge=0)] = 0


@dataclass(frozen=True)
class Outcome:
    """What came of one request: the vendor's answer body, or its HTTP status and error body."""

    custom_id: str
    kind: Kind
    status: int
    body: dict[str, Any]


Answering = Callable[[dict[str, Any]], Awaitable[tuple[int, dict[str, Any]]]]
"""Answers one request as the vendor's synchronous endpoint would: HTTP status and body."""


@dataclass
class Batch:
    """One batch. Nothing happens to it in the background: its state is worked out when someone asks.

    Attributes:
        created_at: seconds since the epoch, as all times here.
        requests: custom id and request body, in the order in which they came.
        was_cancelled: it ended because someone asked for that, and not before.
        outcomes: set when someone looks once it has ended, as the two before.
    """

    id: str
    vendor: str
    created_at: float
    requests: list[tuple[str, dict[str, Any]]]
    desk: "BatchDesk"
    metadata: dict[str, str] = field(default_factory=dict)
    input_file_id: str = ""
    errors: list[dict[str, Any]] = field(default_factory=list)
    cancel_asked_at: float | None = None
    was_cancelled: bool = False
    has_expired: bool = False
    outcomes: list[Outcome] | None = None

    @property
    def faults(self) -> BatchFaults:
        return self.desk.faults

    @property
    def ends_at(self) -> float:
        natural = self.created_at + self.faults.seconds
        if self.cancel_asked_at is None:
            return natural
        return min(natural, self.cancel_asked_at + self.faults.cancel_seconds)

    @property
    def has_ended(self) -> bool:
        return self.outcomes is not None or bool(self.errors) or time.time() >= self.ends_at

    def is_listed(self) -> bool:
        return time.time() >= self.created_at + self.faults.list_lag_seconds

    def is_hidden(self) -> bool:
        return time.time() < self.created_at + self.faults.hidden_seconds

    def count(self, *kinds: Kind) -> int:
        return sum(outcome.kind in kinds for outcome in self.outcomes or [])


class BatchDesk:
    """All batches of one server, in memory, newest first."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.batches: list[Batch] = []
        self.faults = BatchFaults()

    def behave(self, faults: BatchFaults) -> None:
        self.faults = faults

    def is_create_refused(self) -> bool:
        """Whether this request to make a batch fails, by the rule `refused_creates`."""
        return self._spend("refused_creates")

    def is_answer_lost(self) -> bool:
        """Whether nobody hears of the batch just made, by the rule `lost_answers`."""
        return self._spend("lost_answers")

    def add(self, vendor: str, prefix: str, requests: list[tuple[str, dict[str, Any]]], **details: Any) -> Batch:
        batch = Batch(f"{prefix}{uuid4().hex[:24]}", vendor, time.time(), requests, self, **details)
        self.batches.insert(0, batch)
        return batch

    def find(self, vendor: str, batch_id: str) -> Batch | None:
        return next(
            (one for one in self.batches if one.id == batch_id and one.vendor == vendor and not one.is_hidden()), None
        )

    def page(self, vendor: str, *, after: str | None, limit: int) -> tuple[list[Batch], bool]:
        """At most `limit` batches, newest first, behind the batch `after`; and whether there are more."""
        listed = [one for one in self.batches if one.vendor == vendor and one.is_listed()]
        if after is not None:
            position = next((n for n, one in enumerate(listed) if one.id == after), len(listed))
            listed = listed[position + 1 :]
        return listed[:limit], len(listed) > limit

    async def finish(self, batch: Batch, answer: Answering) -> None:
        """Work out the outcomes of a batch that has ended, once."""
        if batch.outcomes is not None or not batch.has_ended:
            return
        batch.outcomes = []
        asked_at = batch.cancel_asked_at
        batch.was_cancelled = asked_at is not None and asked_at < batch.created_at + batch.faults.seconds
        batch.has_expired = batch.faults.expires and not batch.was_cancelled
        cut = batch.was_cancelled or batch.has_expired
        total = len(batch.requests)
        done = 0 if batch.errors else math.ceil(total * batch.faults.done_share) if cut else total
        first_error = total - math.ceil(total * batch.faults.error_share)
        for position, (custom_id, body) in enumerate(batch.requests):
            if position >= done:
                batch.outcomes.append(Outcome(custom_id, "canceled" if batch.was_cancelled else "expired", 0, {}))
            elif position >= first_error:
                batch.outcomes.append(Outcome(custom_id, "errored", 500, {"message": "The server had an error."}))
            else:
                status, answered = await answer(body)
                batch.outcomes.append(Outcome(custom_id, "succeeded" if status == 200 else "errored", status, answered))
        if batch.faults.shuffle:
            random.Random(batch.id).shuffle(batch.outcomes)

    def summary(self) -> list[dict[str, Any]]:
        """What a test wants to know of every batch that was made, oldest first."""
        return [
            {"id": one.id, "vendor": one.vendor, "metadata": one.metadata, "has_ended": one.has_ended,
             "cancel_asked": one.cancel_asked_at is not None, "succeeded": one.count("succeeded"),
             "custom_ids": [custom_id for custom_id, _ in one.requests]}
            for one in self.batches[::-1]
        ]  # fmt: skip

    def _spend(self, rule: str) -> bool:
        left = getattr(self.faults, rule)
        if left:
            self.faults = self.faults.model_copy(update={rule: left - 1})
        return bool(left)
