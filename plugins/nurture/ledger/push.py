"""Push claimed messages to a CRM, each once: claim → read consent → sent → confirmed, and honest words for the rest."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from nurture.errors import OutcomeUnknown, TerminalError, TransientError
from nurture.ledger.attempt import Attempt, Claimed, Slot
from nurture.ledger.consent import withdrawal
from nurture.ledger.destination import BatchRefused, Destination
from nurture.ledger.settle import settle
from nurture.policy import Consent, Crm
from nurture.warehouse.crm_contact_consent import consent_properties

Compose = Callable[[Claimed], Mapping[str, str]]
"""The CRM properties of one message, placeholders filled; a TerminalError says that the copy cannot be used."""


@dataclass
class PushCounts:
    """What one attempt did, in messages.

    Attributes:
        pushed: confirmed by the CRM, by its answer or by reading back.
        settled: of these, those found on reading back.
        already_sent: confirmed by an earlier attempt.
        suppressed: not sent, for a reason kept in the ledger.
        superseded: not sent, for the person has a message of a later night.
        rejected: refused by the CRM, or no copy for it may go out; also in `ops.dead_letter`.
        unknown: outcome still not known.
        waiting: held by another attempt, or not claimed.
        batches: write requests.
        seconds: wall time.
    """

    pushed: int = 0
    settled: int = 0
    already_sent: int = 0
    suppressed: int = 0
    superseded: int = 0
    rejected: int = 0
    unknown: int = 0
    waiting: int = 0
    batches: int = 0
    seconds: float = 0.0


@dataclass
class Push:
    """One attempt's push of one lane.

    Attributes:
        attempt: holds the ledger rows.
        crm: where to push to.
        compose: what is written for one message.
        policy: batch size, attempts, time to wait before a lost write is judged.
        consent: what counts as consent.
        lost_in_a_row: writes since the last answer.
    """

    attempt: Attempt
    crm: Destination
    compose: Compose
    policy: Crm
    consent: Consent
    counts: PushCounts = field(default_factory=PushCounts)
    lost_in_a_row: int = 0

    def run(self) -> PushCounts:
        """Settle what earlier attempts left open, then push until nothing is left.

        Raises:
            TransientError: the CRM does not answer for now; what was done is in the ledger, the next attempt goes on.
            TerminalError: the CRM refuses this caller altogether.
        """
        started = time.monotonic()
        self.attempt.take_over()
        for _ in range(self.policy.max_attempts):
            self._settle()
            self._push_all()
            self.counts.already_sent, self.counts.waiting, self.counts.unknown = self.attempt.lane_states()
            if not self.counts.unknown:
                break
        self.counts.seconds = round(time.monotonic() - started, 3)
        if self.counts.unknown:
            raise TransientError(
                f"{self.counts.unknown} messages were sent and no answer was seen in {self.policy.max_attempts} rounds; "
                f"run the task again, it reads the CRM back first. So far: {self.counts}"
            )
        return self.counts

    def _push_all(self) -> None:
        """Walk the candidates once, a batch at a time; a CRM that lets every write go unanswered is not sent more."""
        self.lost_in_a_row = 0
        with closing(self.attempt.candidates(self.policy.batch_size)) as pages:
            for slots in pages:
                self._push(self.attempt.claim(slots))
                if self.lost_in_a_row >= self.policy.max_attempts:
                    return

    def _push(self, claimed: Sequence[Claimed]) -> None:
        cleared = self._clear(claimed)
        ready = self._compose(cleared)
        held = self.attempt.move("sent", dict.fromkeys(ready, "request going out; no answer seen yet"))
        rows = {message.crm_id: message for message in cleared if message.key in held}
        try:
            self._send(rows, {message.crm_id: ready[message.key] for message in rows.values()})
        except (TransientError, TerminalError) as error:
            # The CRM said that it wrote nothing of these, or they never left: they may be claimed again.
            self.attempt.move("claimed", {row.key: f"not written: {error}" for row in rows.values()}, only_from="sent")
            raise

    def _clear(self, claimed: Sequence[Claimed]) -> list[Claimed]:
        """Suppress what must not be sent, by the warehouse and by what the CRM says now; fails closed."""
        suppressed = {message.key: message.blocked for message in claimed if message.blocked}
        superseded = {message.key: message.superseded for message in claimed if message.superseded and not message.blocked}
        open_messages = [message for message in claimed if not (message.blocked or message.superseded)]
        unfit = {
            message.key: f"{message.unfit}; mend it, or generate the night's copy again"
            for message in open_messages
            if message.unfit
        }
        self.counts.rejected += self.attempt.reject(unfit, open_messages)
        open_messages = [message for message in open_messages if not message.unfit]
        contacts = self.crm.batch_read([message.crm_id for message in open_messages], consent_properties(self.consent))
        cleared: list[Claimed] = []
        gone: dict[Slot, str] = {}
        for message in open_messages:
            contact = contacts.get(message.crm_id)
            if contact is None:
                gone[message.key] = (
                    "the contact left the CRM since the last load (deleted, archived or merged); the next load follows it"
                )
            elif why := withdrawal(contact, self.consent):
                suppressed[message.key] = why
            else:
                cleared.append(message)
        self.counts.suppressed += len(self.attempt.move("suppressed", suppressed))
        self.counts.superseded += len(self.attempt.move("superseded", superseded))
        self.counts.rejected += self.attempt.reject(gone, open_messages)
        return cleared

    def _compose(self, messages: Sequence[Claimed]) -> dict[Slot, Mapping[str, str]]:
        """Properties by slot; copy that cannot be filled in is rejected and does not stop the others."""
        ready: dict[Slot, Mapping[str, str]] = {}
        unfit: dict[Slot, str] = {}
        for message in messages:
            try:
                ready[message.key] = self.compose(message)
            except TerminalError as error:
                unfit[message.key] = f"the copy could not be made ready: {error}"
        self.counts.rejected += self.attempt.reject(unfit, messages)
        return ready

    def _send(self, rows: Mapping[str, Claimed], properties: Mapping[str, Mapping[str, str]]) -> None:
        """One write; a batch that is refused for one of its records is halved until the culprit stands alone."""
        if not rows:
            return
        slots = [message.key for message in rows.values()]

        def keep_hold() -> None:
            if not self.attempt.still_holds(slots):
                raise TransientError(
                    "another attempt took these messages over; run the task again, it reads the CRM back first"
                )

        self.counts.batches += 1
        try:
            result = self.crm.batch_update({crm_id: properties[crm_id] for crm_id in rows}, before_try=keep_hold)
        except BatchRefused as error:
            if len(rows) == 1:
                reasons = {message.key: str(error) for message in rows.values()}
                self.counts.rejected += self.attempt.reject(reasons, rows.values())
                return
            crm_ids = list(rows)
            for half in (crm_ids[: len(crm_ids) // 2], crm_ids[len(crm_ids) // 2 :]):
                self._send({crm_id: rows[crm_id] for crm_id in half}, properties)
            return
        except OutcomeUnknown as error:
            self.lost_in_a_row += 1
            self.attempt.move("unknown", {message.key: str(error) for message in rows.values()})
            return
        self.lost_in_a_row = 0
        confirmed = {rows[crm_id].key: "written; the CRM confirmed the record" for crm_id in result.updated}
        self.counts.pushed += len(self.attempt.move("confirmed", confirmed))
        refused = {crm_id: words for crm_id, words in result.errors.items() if crm_id in rows}
        self.counts.rejected += self.attempt.reject(
            {rows[crm_id].key: words for crm_id, words in refused.items()}, rows.values()
        )
        silent = rows.keys() - result.updated - refused.keys()
        self.attempt.move("unknown", {rows[crm_id].key: "the CRM's answer does not name the record" for crm_id in silent})

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
