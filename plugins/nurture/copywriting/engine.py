"""Asking models for what the store does not have: paced, retried, within budget, every answer kept as it arrives."""

import asyncio
import math
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

import psycopg
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from nurture.copywriting.calling import Caller, LaneIsOut
from nurture.copywriting.calls import withdraw_unsent
from nurture.copywriting.chat_model import ChatModel, ModelBusy, ModelRefused
from nurture.copywriting.fallover import Lane, Lineup
from nurture.copywriting.journal import Journal
from nurture.copywriting.pacing import LONGEST_WAIT_SECONDS
from nurture.copywriting.prices import load_prices
from nurture.copywriting.requests import CopyRequest
from nurture.copywriting.store import Run, StoredCopy
from nurture.policy import Llm

Wanted = tuple[CopyRequest, ...]
"""One piece of copy that is wanted: what to ask each model for, in the models' order. The first one's hash names it."""

TURN_SECONDS = 0.0005  # that one thread may keep the interpreter from another
WORKERS_A_SLOT = 3  # of which one has a request in flight, one makes the next one ready, and one stores an answer


@dataclass
class Written:
    """What came of asking.

    Attributes:
        copies: by the hash of the first choice's request; what is missing here got no answer.
        capped_by: the key in policy (`llm.budget`) of a cap that kept at least one call back.
        switched_off: the switch was off before at least one call.
        pinned_to_another: which pin (`template`, `model`) was set meanwhile to something else, and kept a call back.
        refusal: why a model's endpoint answers nothing at all, if so.
        fell_over_to: the model that answered where the first one did not.
        unpriced: a model has no price: it was not asked, unless policy allows that, and then without a cap on money.
    """

    copies: dict[str, StoredCopy] = field(default_factory=dict)
    model_calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: Decimal = Decimal(0)
    capped_by: str | None = None
    switched_off: bool = False
    pinned_to_another: str | None = None
    refusal: str | None = None
    fell_over_to: str | None = None
    unpriced: bool = False


async def write_copy(
    connection: psycopg.Connection, run: Run, wanted: Sequence[Wanted], models: Sequence[ChatModel], policy: Llm
) -> Written:
    """Ask the first of `models` for every piece, as fast as it lets us, and the others where it gives no answer.

    Each answer is judged and committed as it arrives, so a crash loses none that was paid for. What gets no answer is not in
    the result: its people get static copy, and a later run asks again. When something fails that is no model's doing,
    nothing new goes out, what is out comes home, and then it is raised.
    """
    withdraw_unsent(connection, run, policy.budget)
    connection.commit()
    if not wanted:
        return Written()
    journal = Journal(connection, run, policy.budget)
    caller = Caller(run, journal, policy.budget)
    lineup = Lineup(models, load_prices(), policy, datetime.now(UTC).date())
    writer = _Writer(caller, lineup, policy)
    waiting = iter(wanted)
    try:
        with _short_turns():
            async with asyncio.TaskGroup() as group:
                for _ in range(min(WORKERS_A_SLOT * policy.max_concurrency, len(wanted))):
                    group.create_task(writer.work(waiting))
    finally:
        journal.close()
    if writer.failure:
        raise writer.failure
    return Written(
        writer.copies,
        **asdict(caller.tally),
        refusal=lineup.refusal,
        fell_over_to=lineup.took_over,
        unpriced=any(lane.price is None for lane in lineup.lanes),
    )


@contextmanager
def _short_turns() -> Iterator[None]:
    """Let threads of this process take turns sooner than after Python's 5 ms.

    The journal's thread gives its turn away at every round trip to the warehouse, several a commit, and each time waits for
    an event loop that is nearly always busy, while requests wait for the commit.
    """
    before = sys.getswitchinterval()
    sys.setswitchinterval(TURN_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def backoff(seconds: float) -> wait_exponential_jitter:
    """The wait before another attempt: twice as long each time, and never the same, so that not all come back together."""
    return wait_exponential_jitter(initial=seconds, max=LONGEST_WAIT_SECONDS, jitter=seconds)


class _Writer:
    """Several workers over one list of wanted pieces."""

    def __init__(self, caller: Caller, lineup: Lineup, policy: Llm) -> None:
        self.caller, self.lineup, self.policy = caller, lineup, policy
        self.copies: dict[str, StoredCopy] = {}
        self.failure: Exception | None = None
        self._backoff = backoff(policy.backoff_seconds)

    async def work(self, waiting: Iterator[Wanted]) -> None:
        try:
            for wanted in waiting:
                if self.failure:
                    return
                await self._write(wanted)
        except Exception as error:
            self.failure = self.failure or error
            self.lineup.stop()
            await self.caller.stop()

    async def _write(self, wanted: Wanted) -> None:
        """Ask the models that are not out, one after the other, until one answers, refuses this very request, or may not."""
        for lane in self.lineup.lanes:
            try:
                copy = await self._ask(lane, wanted[lane.place])
            except (ModelBusy, LaneIsOut):
                continue
            except ModelRefused as error:
                if error.concerns_all:
                    continue
                return
            if copy is not None:
                self.copies[wanted[0].request_hash] = copy
            return

    async def _ask(self, lane: Lane, request: CopyRequest) -> StoredCopy | None:
        """Ask one model, with all the attempts that policy gives.

        Raises:
            ModelBusy: they are used up. When nobody had an answer since the first of them failed, the model is down.
            ModelRefused, LaneIsOut: there is no use in another one.
        """
        failing_since = math.inf
        attempts = AsyncRetrying(
            stop=stop_after_attempt(self.policy.max_attempts),
            wait=self._backoff,
            retry=retry_if_exception_type(ModelBusy),
            reraise=True,
        )
        try:
            async for attempt in attempts:
                with attempt:
                    if lane.out or self.failure:
                        raise LaneIsOut
                    try:
                        return await self.caller.call(lane, request, attempt.retry_state.attempt_number)
                    except ModelBusy:
                        failing_since = min(failing_since, time.monotonic())
                        raise
        except ModelBusy as error:
            if lane.answered_at < failing_since:
                seconds = time.monotonic() - failing_since
                lane.give_up("down", f"nothing but failures for {seconds:.0f} s, the last: {error}")
            raise
        return None
