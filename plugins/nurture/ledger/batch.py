"""One batch of a push, from claim to answer: claim → read consent → sent → confirmed, and honest words for the rest."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields

from nurture.consent.decision import Decision
from nurture.consent.implied import implied_consent
from nurture.consent.rules import Rule, Rules, load_rules
from nurture.errors import OutcomeUnknown, TerminalError, TransientError
from nurture.ledger.attempt import Attempt
from nurture.ledger.consent import decide
from nurture.ledger.destination import BatchRefused, Destination
from nurture.ledger.messages import Claimed, Slot
from nurture.policy import Consent, Crm
from nurture.warehouse.crm_contact_consent import consent_properties
from nurture.warehouse.crm_contact_rows import Contact

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
        superseded: not sent, for the person has a message of a later night, or the trigger is too old.
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

    def add(self, other: "PushCounts") -> None:
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))


class _ConsentIsOld(Exception):
    """The write waited so long that consent must be read again before it."""


@dataclass
class Batch:
    """What one thread does with one batch, over a database connection and an HTTP session that nobody else uses meanwhile.

    Attributes:
        compose: what is written for one message.
        policy: attempts, and how long consent that was read counts.
        consent: what the CRM's words about consent mean.
        rules: which consent a region needs.
        passed_over: messages that it did not get: another attempt holds them, or the same human is being written to.
        lost_in_a_row: writes since the last answer.
        was_answered: whether any write was.
    """

    attempt: Attempt
    crm: Destination
    compose: Compose
    policy: Crm
    consent: Consent
    rules: Rules = field(default_factory=load_rules)
    counts: PushCounts = field(default_factory=PushCounts)
    passed_over: int = 0
    lost_in_a_row: int = 0
    was_answered: bool = False
    _consent_counts_until: float = 0.0
    _readings: int = 0
    _decisions: dict[Slot, Decision] = field(default_factory=dict)

    def run(self, slots: Sequence[Slot]) -> "Batch":
        """Claim `slots` and push those that may go out.

        Raises:
            TransientError, TerminalError: the CRM wrote nothing of what is left, which may be claimed again.
        """
        claimed = self.attempt.claim(slots)
        self.passed_over = len(slots) - len(claimed)
        cleared = self._clear(claimed)
        ready = self._compose(cleared)
        held = self.attempt.move(
            "sent", dict.fromkeys(ready, "request going out; no answer seen yet"), decisions=self._decisions
        )
        rows = {message.crm_id: message for message in cleared if message.key in held}
        try:
            self._send(rows, {message.crm_id: ready[message.key] for message in rows.values()})
        except (TransientError, TerminalError) as error:
            # The CRM said that it wrote nothing of these, or they never left: they may be claimed again.
            self.attempt.move("claimed", {row.key: f"not written: {error}" for row in rows.values()}, only_from="sent")
            raise
        return self

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
        self._decisions = {slot: Decision(False, None, None, why) for slot, why in suppressed.items()}
        self.counts.suppressed += len(self.attempt.move("suppressed", suppressed, decisions=self._decisions))
        self.counts.superseded += len(self.attempt.move("superseded", superseded))
        self.counts.rejected += self.attempt.reject(unfit, open_messages)
        return self._consenting([message for message in open_messages if not message.unfit])

    def _consenting(self, messages: Sequence[Claimed]) -> list[Claimed]:
        """Those of `messages` who, as the CRM says now, may be written to; the others are settled with the reason."""
        if not messages:
            return []
        contacts = self._read_consent(messages)
        found = {message.person_id: contacts[message.crm_id] for message in messages if message.crm_id in contacts}
        twins = {
            message.person_id: [contacts[crm_id] for crm_id in message.twin_crm_ids if crm_id in contacts]
            for message in messages
        }
        decided = decide(found, self.consent, self.rules, self._implied, twins)
        self._decisions = {message.key: decided[message.person_id] for message in messages if message.person_id in decided}
        cleared: list[Claimed] = []
        gone: dict[Slot, str] = {}
        withdrawn: dict[Slot, str] = {}
        for message in messages:
            decision = decided.get(message.person_id)
            if decision is None:
                gone[message.key] = (
                    "the contact left the CRM since the last load (deleted, archived or merged); the next load follows it"
                )
            elif decision.is_allowed:
                cleared.append(message)
            else:
                withdrawn[message.key] = decision.basis
        self.counts.suppressed += len(self.attempt.move("suppressed", withdrawn, decisions=self._decisions))
        self.counts.rejected += self.attempt.reject(gone, messages)
        return cleared

    def _read_consent(self, messages: Sequence[Claimed]) -> dict[str, Contact]:
        """What the CRM says of the recipients and their twins by id; how long it counts begins with the first answer."""
        twins = (crm_id for message in messages for crm_id in message.twin_crm_ids)
        crm_ids = list(dict.fromkeys([*(message.crm_id for message in messages), *twins]))
        contacts: dict[str, Contact] = {}
        for start in range(0, len(crm_ids), self.policy.batch_size):
            page = crm_ids[start : start + self.policy.batch_size]
            contacts |= self.crm.batch_read(page, consent_properties(self.consent))
            if not start:
                self._consent_counts_until = time.monotonic() + self.policy.consent_seconds
        return contacts

    def _implied(self, rule: Rule, person_ids: Collection[str]) -> dict[str, str]:
        return implied_consent(self.attempt.connection, rule, list(person_ids))

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

        def check() -> None:
            if time.monotonic() > self._consent_counts_until:
                raise _ConsentIsOld
            if not self.attempt.still_holds(slots):
                raise TransientError(
                    "another attempt took these messages over; run the task again, it reads the CRM back first"
                )

        self.counts.batches += 1
        try:
            result = self.crm.batch_update({crm_id: properties[crm_id] for crm_id in rows}, before_try=check)
        except _ConsentIsOld:
            self.counts.batches -= 1
            self._send(self._still_consenting(rows), properties)
            return
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
        self.was_answered = True
        confirmed = {rows[crm_id].key: "written; the CRM confirmed the record" for crm_id in result.updated & rows.keys()}
        self.counts.pushed += len(self.attempt.move("confirmed", confirmed))
        refused = {crm_id: words for crm_id, words in result.errors.items() if crm_id in rows}
        self.counts.rejected += self.attempt.reject(
            {rows[crm_id].key: words for crm_id, words in refused.items()}, rows.values()
        )
        silent = rows.keys() - result.updated - refused.keys()
        self.attempt.move("unknown", {rows[crm_id].key: "the CRM's answer does not name the record" for crm_id in silent})

    def _still_consenting(self, rows: Mapping[str, Claimed]) -> dict[str, Claimed]:
        """Those of `rows`, of which nothing was written, that may still go out, after a wait for the CRM."""
        self._readings += 1
        if self._readings > self.policy.max_attempts:
            raise TransientError(
                f"{self._readings} times more than {self.policy.consent_seconds:g} s went by between reading consent and "
                "writing; the CRM is too busy now, run the task again later"
            )
        return {message.crm_id: message for message in self._consenting(list(rows.values()))}
