"""Write further outputs of confirmed messages, a note or a task, each once: claim → refusals → sent → confirmed.

What `push.py` does for the message itself, for records that the CRM would gladly make twice: an outcome that was not seen is
settled by looking our key up on the contact's timeline, never by writing again on a guess.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta

from nurture.errors import OutcomeUnknown, TerminalError, TransientError
from nurture.ledger.attempt import Attempt
from nurture.ledger.destination import BatchRefused
from nurture.ledger.output_rows import ClaimedOutput, OutputRows
from nurture.ledger.output_settle import settle_outputs
from nurture.ledger.timeline import Draft, Timeline
from nurture.policy import Consent, Crm, Policy, SalesTasks
from nurture.warehouse.crm_contact_consent import STATUS, consent_properties, is_opted_out, opt_out_properties, status_of
from nurture.warehouse.crm_contact_rows import Contact

Fill = Callable[[ClaimedOutput], Mapping[str, str]]
"""headline, body and cta of a message, placeholders filled; a TerminalError says that the copy cannot be used."""


@dataclass
class OutputCounts:
    """What one attempt did for one kind of output, in outputs.

    Attributes:
        written: confirmed by the CRM, by its answer or by looking it up.
        settled: of these, those found on looking up.
        already_written: confirmed by an earlier attempt.
        suppressed: not written: the person said no since the message, or the contact is gone.
        rejected: refused by the CRM; also in `ops.dead_letter`.
        unknown: outcome still not known.
        waiting: held by another attempt, or not claimed.
        batches: write requests.
    """

    written: int = 0
    settled: int = 0
    already_written: int = 0
    suppressed: int = 0
    rejected: int = 0
    unknown: int = 0
    waiting: int = 0
    batches: int = 0


@dataclass
class Outputs:
    """One attempt's outputs of one kind, for the night's messages that the CRM confirmed.

    Attributes:
        rows: those that the attempt holds.
        crm: where to write to.
        fill: the text of one message.
        policy: batch size, attempts, time to wait before a lost write is judged.
        consent: which opt-outs count, and the words of `consent_status`.
        tasks: when tasks are due, and how urgent they are.
        lost_in_a_row: writes since the last answer.
    """

    rows: OutputRows
    crm: Timeline
    campaign: str
    fill: Fill
    policy: Crm
    consent: Consent
    tasks: SalesTasks
    counts: OutputCounts = field(default_factory=OutputCounts)
    lost_in_a_row: int = 0

    def run(self) -> OutputCounts:
        """Settle what earlier attempts left open, then write until nothing is left.

        Raises:
            TransientError: the CRM does not answer for now; what was done is in `ops.push_output`, the next attempt goes on.
            TerminalError: the CRM refuses this caller altogether.
        """
        self.rows.take_over()
        for _ in range(self.policy.max_attempts):
            self._settle()
            self._write_all()
            self.counts.already_written, self.counts.waiting = self.rows.states()
            self.counts.unknown = sum(len(page) for page in self.rows.unanswered(self.policy.batch_size))
            if not self.counts.unknown:
                return self.counts
        raise TransientError(
            f"{self.counts.unknown} outputs ({self.rows.output}) were sent and no answer was seen in "
            f"{self.policy.max_attempts} rounds; run the task again, it looks them up first. So far: {self.counts}"
        )

    def _write_all(self) -> None:
        """A CRM that lets every write go unanswered is not sent more."""
        self.lost_in_a_row = 0
        for claimed in self.rows.claims(self.policy.batch_size):
            drafts = self._draft(claimed)
            held = self.rows.move("sent", dict.fromkeys(drafts, "request going out; no answer seen yet"))
            try:
                self._send([draft for key, draft in drafts.items() if key in held], claimed)
            except (TransientError, TerminalError) as error:
                # The CRM said that it wrote nothing of these, or they never left: they may be claimed again.
                self.rows.move("claimed", dict.fromkeys(held, f"not written: {error}"), only_from="sent")
                raise
            if self.lost_in_a_row >= self.policy.max_attempts:
                return

    def _draft(self, claimed: Sequence[ClaimedOutput]) -> dict[str, Draft]:
        """By key, what is written of those who still may be written about, as the CRM says now; fails closed."""
        contacts = self._read(claimed)
        suppressed: dict[str, str] = {}
        unfit: dict[str, str] = {}
        drafts: dict[str, Draft] = {}
        for row in claimed:
            contact = contacts.get(row.crm_id)
            if contact is None:
                suppressed[row.key] = "the contact left the CRM (deleted or archived) since its message was written"
            elif why := self._refusal(contact):
                suppressed[row.key] = why
            elif any(self._refusal(contacts[crm_id]) for crm_id in row.twin_crm_ids if crm_id in contacts):
                suppressed[row.key] = (
                    f"another contact of the same address opted out or denied consent since the message, so there is no "
                    f"{self.rows.output}"
                )
            else:
                try:
                    drafts[row.key] = Draft(
                        row.key, contact.crm_id, self.campaign, row.template, **self.fill(row),
                        confirmed_at=row.confirmed_at, due_at=datetime.now(UTC) + timedelta(days=self.tasks.due_days),
                        priority=self.tasks.priority, owner_id=contact.properties.get(self.crm.owner_property) or None,
                    )  # fmt: skip
                except TerminalError as error:
                    unfit[row.key] = f"the copy could not be made ready: {error}"
        self.counts.suppressed += len(self.rows.move("suppressed", suppressed))
        self.counts.rejected += self.rows.reject(unfit, claimed)
        return drafts

    def _read(self, claimed: Sequence[ClaimedOutput]) -> dict[str, Contact]:
        """What the CRM says now of the contacts and of their twins, by the id that was asked for."""
        crm_ids = list(dict.fromkeys(crm_id for row in claimed for crm_id in (row.crm_id, *row.twin_crm_ids)))
        wanted = [*consent_properties(self.consent), self.crm.owner_property]
        contacts: dict[str, Contact] = {}
        for start in range(0, len(crm_ids), self.policy.batch_size):
            contacts |= self.crm.batch_read(crm_ids[start : start + self.policy.batch_size], wanted, follow_merges=True)
        return contacts

    def _refusal(self, contact: Contact) -> str | None:
        """Why sales must not follow up, or None. That the person may be written to was decided with the message."""
        opt_outs = opt_out_properties(self.consent)
        if missing := [name for name in opt_outs if name not in contact.properties]:
            raise TerminalError(
                f"the CRM's answer does not hold {', '.join(missing)}, so nobody knows who opted out and no "
                f"{self.rows.output} is written: let the private app read these properties"
            )
        if is_opted_out(contact.properties, opt_outs):
            return f"opted out since the message, so there is no {self.rows.output}"
        if status_of(contact.properties.get(STATUS), self.consent.status_words) == "denied":
            return f"consent denied since the message, so there is no {self.rows.output}"
        return None

    def _send(self, drafts: Sequence[Draft], claimed: Sequence[ClaimedOutput]) -> None:
        """One write; a batch that is refused as a whole is halved until the culprit stands alone."""
        if not drafts:
            return
        keys = [draft.key for draft in drafts]

        def keep_hold() -> None:
            if not self.rows.still_holds(keys):
                raise TransientError("another attempt took these outputs over; run the task again, it looks them up first")

        self.counts.batches += 1
        try:
            created = self.crm.create(self.rows.output, drafts, before_try=keep_hold)
        except BatchRefused as error:
            if len(drafts) == 1:
                self.counts.rejected += self.rows.reject({keys[0]: str(error)}, claimed)
                return
            for half in (drafts[: len(drafts) // 2], drafts[len(drafts) // 2 :]):
                self._send(half, claimed)
            return
        except OutcomeUnknown as error:
            self.lost_in_a_row += 1
            self.rows.move("unknown", dict.fromkeys(keys, str(error)))
            return
        self.lost_in_a_row = 0
        confirmed = {key: "written; the CRM confirmed the record" for key in keys if key in created.record_ids}
        self.counts.written += len(self.rows.move("confirmed", confirmed, record_ids=created.record_ids))
        refused = {key: created.errors[key] for key in keys if key in created.errors and key not in confirmed}
        self.counts.rejected += self.rows.reject(refused, claimed)
        silent = [key for key in keys if key not in confirmed and key not in refused]
        self.rows.move("unknown", dict.fromkeys(silent, "the CRM's answer does not name the record"))

    def _settle(self) -> None:
        """Look up what is unknown until all of it is decided."""
        wait_seconds = -1.0
        while wait_seconds:
            settled = settle_outputs(self.rows, self.crm, self.policy)
            self.counts.settled += settled.confirmed
            self.counts.written += settled.confirmed
            self.counts.suppressed += settled.gone
            wait_seconds = settled.wait_seconds
            time.sleep(wait_seconds)


def write_outputs(
    attempt: Attempt, crm: Timeline, outputs: Sequence[str], fill: Fill, policy: Policy
) -> dict[str, dict[str, int]]:
    """Write `outputs` (`note`, `task`) one after the other; returns the counts of each. Raises what `Outputs.run` raises."""
    counts: dict[str, dict[str, int]] = {}
    for output in outputs:
        rows = OutputRows(attempt, output)
        work = Outputs(rows, crm, attempt.campaign, fill, policy.crm, policy.consent, policy.sales_tasks)
        counts[output] = asdict(work.run())
    return counts
