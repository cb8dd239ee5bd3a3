"""How many requests go out, and when: as fast as the endpoint lets us, and no faster.

Two things hold a request back. The window: how many may be in flight. It opens quickly until the first overload, halves
with each overload and then opens by one a round (additive increase, multiplicative decrease, as TCP does). The buckets:
requests and tokens that the endpoint says are left, refilled at the rate that its headers imply.

A request comes in two steps: `enter`, when its turn is near, so that it can be paid for and noted meanwhile, and `go`.
"""

import asyncio
import time
from collections import deque
from dataclasses import dataclass

from nurture.copywriting.allowances import Allowance, Allowances
from nurture.copywriting.chat_model import ModelBusy

FIRST_WINDOW = 32
OPENING = 2.0  # by so many for each answer, until the first overload: the window triples in a round
ROOM_A_SLOT = 2  # for each request in flight one more may be made ready
LONGEST_WAIT_SECONDS = 60.0


@dataclass
class _Bucket:
    """Units that may still be used, refilled continuously up to `capacity`."""

    level: float
    capacity: float
    per_second: float
    at: float

    @classmethod
    def told(cls, allowance: Allowance, on_the_way: float) -> "_Bucket":
        """As an endpoint tells. What is on the way may not be counted there yet; a level too low mends itself."""
        used = allowance.limit - allowance.remaining
        per_second = used / allowance.reset_seconds if used > 0 and allowance.reset_seconds > 0 else allowance.limit / 60
        return cls(max(0.0, allowance.remaining - on_the_way), allowance.limit, per_second, time.monotonic())

    def seconds_until(self, units: float) -> float:
        missing = min(units, self.capacity) - self._now()
        return missing / self.per_second if missing > 0 and self.per_second > 0 else 0.0

    def take(self, units: float) -> None:
        self.level = self._now() - units

    def _now(self) -> float:
        now = time.monotonic()
        self.level = min(self.capacity, self.level + (now - self.at) * self.per_second)
        self.at = now
        return self.level


@dataclass
class Slot:
    """A place for one request of about so many tokens.

    Attributes:
        patience_ends: when it goes whatever the endpoint's limits say, monotonic.
        since: when it went out, monotonic; None: not yet.
        is_over: its place is free again.
    """

    tokens: int
    patience_ends: float
    since: float | None = None
    is_over: bool = False


class Pace:
    """The pace of one endpoint; first come, first served.

    Attributes:
        window: how many requests may be in flight now, at most `most`; the fraction counts towards the next.
        in_flight: how many are.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.window = float(min(FIRST_WINDOW, most))
        self.in_flight = 0
        self._entered = 0
        self._tokens = 0
        self._is_opening = True
        self._is_stopped = False
        self._narrowed_at = 0.0
        self._held_until = 0.0
        self._buckets: dict[str, _Bucket] = {}
        self._coming: deque[tuple[Slot, asyncio.Future[None]]] = deque()
        self._going: deque[tuple[Slot, asyncio.Future[None]]] = deque()
        self._alarm: asyncio.TimerHandle | None = None

    async def enter(self, tokens: int) -> Slot:
        """Wait until a request of about so many tokens may be made ready; for the endpoint's limits at most a minute."""
        slot = Slot(tokens, time.monotonic() + LONGEST_WAIT_SECONDS)
        await self._in_line(self._coming, slot)
        return slot

    async def go(self, slot: Slot) -> None:
        """Wait until it may go out."""
        await self._in_line(self._going, slot)

    def answered(self, slot: Slot, allowances: Allowances | None) -> None:
        """The request was answered: the window opens, if anyone waits for it."""
        if self._going:
            self.window = min(self.most, self.window + (OPENING if self._is_opening else 1 / self.window))
        self.over(slot, allowances)

    def busy(self, slot: Slot, error: ModelBusy) -> None:
        """No answer. An overload halves the window, but once only for all that went out before it last narrowed.

        A wait that the endpoint asks for holds back everyone.
        """
        if error.is_overload and slot.since is not None and slot.since >= self._narrowed_at:
            self.window = max(1.0, self.window / 2)
            self._narrowed_at = time.monotonic()
            self._is_opening = False
        if error.retry_after_seconds:
            wait = min(error.retry_after_seconds, LONGEST_WAIT_SECONDS)
            self._held_until = max(self._held_until, time.monotonic() + wait)
        self.over(slot, error.allowances)

    def over(self, slot: Slot, allowances: Allowances | None = None) -> None:
        """The request is over, whether it went out or not, and says nothing about the pace beyond its headers.

        A second time it does nothing.
        """
        if slot.is_over:
            return
        slot.is_over = True
        self._entered -= 1
        self._tokens -= slot.tokens
        if slot.since is not None:
            self.in_flight -= 1
        told = allowances or Allowances()
        if told.requests:
            self._buckets["requests"] = _Bucket.told(told.requests, self._entered)
        if told.tokens:
            self._buckets["tokens"] = _Bucket.told(told.tokens, self._tokens)
        self._advance()

    def stop(self) -> None:
        """Hold nobody back any more: whoever waits, or comes, goes on at once and finds that the run is over."""
        self._is_stopped = True
        self._advance()

    def _in_line(self, line: deque[tuple[Slot, asyncio.Future[None]]], slot: Slot) -> asyncio.Future[None]:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        line.append((slot, turn))
        self._advance()
        return turn

    def _advance(self) -> None:
        """Let all go and enter whose turn it is."""
        while self._going and (self._is_stopped or self.in_flight < int(self.window)):
            slot, turn = self._going.popleft()
            if not turn.done():  # else its task was cancelled
                self.in_flight += 1
                slot.since = time.monotonic()
                turn.set_result(None)
        while self._coming and not self._is_held_back(self._coming[0][0]):
            slot, turn = self._coming.popleft()
            if not turn.done():
                self._enter(slot)
                turn.set_result(None)

    def _enter(self, slot: Slot) -> None:
        for name, units in (("requests", 1), ("tokens", slot.tokens)):
            if name in self._buckets:
                self._buckets[name].take(units)
        self._entered += 1
        self._tokens += slot.tokens

    def _is_held_back(self, slot: Slot) -> bool:
        """Whether a request must wait; if only for a time, this is asked again when it is over."""
        if self._is_stopped:
            return False
        if self._entered >= ROOM_A_SLOT * int(self.window):
            return True
        now, units = time.monotonic(), {"requests": 1, "tokens": slot.tokens}
        waits = [bucket.seconds_until(units[name]) for name, bucket in self._buckets.items()]
        seconds = min(max(self._held_until - now, *waits, 0.0), slot.patience_ends - now)
        if seconds <= 0:
            return False
        if self._alarm:
            self._alarm.cancel()
        self._alarm = asyncio.get_running_loop().call_later(seconds, self._advance)
        return True
