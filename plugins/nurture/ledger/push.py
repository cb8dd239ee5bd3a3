"""Push one lane of one night to a CRM, each message once: several batches at a time, then whatever is unknown is settled."""

import logging
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, ExitStack, closing
from dataclasses import dataclass, field

import psycopg

from nurture.errors import TransientError
from nurture.ledger.attempt import Attempt
from nurture.ledger.batch import Batch, Compose, PushCounts
from nurture.ledger.destination import Destination
from nurture.ledger.messages import Slot
from nurture.ledger.settle import settle
from nurture.policy import Consent, Crm

log = logging.getLogger(__name__)

__all__ = ["Compose", "Hand", "Push", "PushCounts"]


@dataclass(frozen=True)
class Hand:
    """What one thread works with: the attempt over a connection of its own, the CRM over an HTTP session of its own."""

    attempt: Attempt
    crm: Destination


@dataclass
class Push:
    """One attempt's push of one lane.

    Attributes:
        attempt: holds the ledger rows.
        crm: where to push to.
        compose: what is written for one message; called on several threads.
        policy: batch size, batches in flight, attempts, time to wait before a lost write is judged.
        consent: what counts as consent.
        another_hand: opens what one more thread needs; None: one batch after the other, over the attempt's own connection.
        lost_in_a_row: writes since the last answer.
    """

    attempt: Attempt
    crm: Destination
    compose: Compose
    policy: Crm
    consent: Consent
    another_hand: Callable[[], AbstractContextManager[Hand]] | None = None
    counts: PushCounts = field(default_factory=PushCounts)
    lost_in_a_row: int = 0
    _idle: list[Hand] = field(default_factory=list)
    _busy: dict[Future[Batch], Hand] = field(default_factory=dict)
    _passed_over: int = 0
    _most_hands: int = sys.maxsize

    def run(self) -> PushCounts:
        """Settle what earlier attempts left open, then push until nothing is left.

        The first error ends it, once the batches in flight are over.

        Raises:
            TransientError: the CRM does not answer for now; what was done is in the ledger, the next attempt goes on.
            TerminalError: the CRM refuses this caller altogether.
        """
        started = time.monotonic()
        self.attempt.take_over()
        with ExitStack() as opened:
            if self.another_hand is None:
                self._idle = [Hand(self.attempt, self.crm)]
            for _ in range(self.policy.max_attempts):
                self._settle()
                self._push_all(opened)
                self.counts.already_sent, self.counts.waiting, self.counts.unknown = self.attempt.lane_states()
                if not self.counts.unknown:
                    if not self._passed_over:
                        break
                    # Somebody is writing to the same people; by then it may be known what they got.
                    time.sleep(min(1.0, self.policy.settle_after_seconds))
        self.counts.seconds = round(time.monotonic() - started, 3)
        if self.counts.unknown:
            raise TransientError(
                f"{self.counts.unknown} messages were sent and no answer was seen in {self.policy.max_attempts} rounds; "
                f"run the task again, it reads the CRM back first. So far: {self.counts}"
            )
        return self.counts

    def _push_all(self, opened: ExitStack) -> None:
        """Walk the candidates once, and count those passed over, for the same human was being written to just then."""
        self.lost_in_a_row, self._passed_over = 0, 0
        with closing(self.attempt.candidates(self.policy.batch_size)) as pages:
            self._walk(pages, opened)

    def _walk(self, pages: Iterator[list[Slot]], opened: ExitStack) -> None:
        """Hand out a page to whoever has nothing to do; a CRM that lets every write go unanswered is not sent more."""
        with ThreadPoolExecutor(max(1, self.policy.push_workers), "push") as pool:  # its end waits for what is in flight
            while not self._is_unheard():
                hand = self._idle_hand(opened)
                if (slots := next(pages, None)) is None or self._is_unheard():
                    self._idle.append(hand)
                    break
                batch = Batch(hand.attempt, hand.crm, self.compose, self.policy, self.consent)
                self._busy[pool.submit(batch.run, slots)] = hand
            while self._busy:
                self._count()

    def _idle_hand(self, opened: ExitStack) -> Hand:
        if not self._idle and self.another_hand and len(self._busy) < min(self.policy.push_workers, self._most_hands):
            try:
                return opened.enter_context(self.another_hand())
            except psycopg.OperationalError as error:
                if not self._busy:
                    raise
                self._most_hands = len(self._busy)
                log.warning("The warehouse gives no more connections; %d batches in flight: %s", self._most_hands, error)
        while not self._idle:
            self._count()
        return self._idle.pop()

    def _count(self) -> None:
        """Wait for a batch that is in flight, and raise its error."""
        for future in wait(self._busy, return_when=FIRST_COMPLETED).done:
            self._idle.append(self._busy.pop(future))
            batch = future.result()
            self.counts.add(batch.counts)
            self._passed_over += batch.passed_over
            self.lost_in_a_row = batch.lost_in_a_row + (0 if batch.was_answered else self.lost_in_a_row)

    def _is_unheard(self) -> bool:
        return self.lost_in_a_row >= self.policy.max_attempts

    def _settle(self) -> None:
        """Read back what is unknown until all of it is decided."""
        wait_seconds = -1.0
        while wait_seconds:
            settled = settle(self.attempt, self.crm, self.policy)
            self.counts.settled += settled.confirmed
            self.counts.pushed += settled.confirmed
            self.counts.suppressed += settled.gone
            wait_seconds = settled.wait_seconds
            time.sleep(wait_seconds)
