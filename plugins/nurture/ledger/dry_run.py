"""A push without its effect: the same claims, consent and copy, and a diff of what would have been written."""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import psycopg
from psycopg import sql

from nurture.ledger.attempt import Attempt
from nurture.ledger.batch import Batch, Compose
from nurture.ledger.destination import BatchResult, Destination
from nurture.ledger.messages import Claimed, Slot, Unanswered
from nurture.policy import Consent, Crm
from nurture.warehouse.crm_contact_rows import Contact

OUTCOMES = {"confirmed": "written", "suppressed": "suppressed", "superseded": "superseded", "rejected": "rejected"}
"""State that a message would end in → what a dry run says of it."""
COLUMNS = (
    "dag_id",
    "run_id",
    "campaign",
    "day",
    "lane",
    "person_id",
    "slot",
    "crm_id",
    "message_id",
    "outcome",
    "reason",
    "changes",
)
COPY = sql.SQL("COPY ops.dry_run ({}) FROM STDIN").format(sql.SQL(", ").join(map(sql.Identifier, COLUMNS)))


@dataclass
class DryAttempt(Attempt):
    """An attempt that holds nothing: claims are undone as soon as they are answered, moves are only noted."""

    claimed: dict[Slot, Claimed] = field(default_factory=dict)
    ends: dict[Slot, tuple[str, str]] = field(default_factory=dict)

    def claim(self, slots: Sequence[Slot]) -> list[Claimed]:
        with self.connection.transaction(force_rollback=True):
            rows = super().claim(slots)
        self.claimed |= {row.key: row for row in rows}
        return rows

    def move(self, state: str, reasons: Mapping[Slot, str], **_: Any) -> set[Slot]:
        self.ends |= {slot: (state, reason) for slot, reason in reasons.items()}
        return set(reasons)

    def still_holds(self, slots: Collection[Slot]) -> bool:  # noqa: ARG002
        return True

    def reject(self, reasons: Mapping[Slot, str], rows: Iterable[Claimed | Unanswered]) -> int:  # noqa: ARG002
        return len(self.move("rejected", reasons))


@dataclass
class ReadOnlyCrm:
    """A CRM of which one can read, and which only notes what would be written."""

    crm: Destination
    planned: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def batch_read(
        self,
        crm_ids: Sequence[str],
        properties: Sequence[str],
        *,
        history_of: Sequence[str] = (),
        follow_merges: bool = False,
    ) -> Mapping[str, Contact]:
        return self.crm.batch_read(crm_ids, properties, history_of=history_of, follow_merges=follow_merges)

    def batch_update(self, inputs: Mapping[str, Mapping[str, str]], *, before_try: Callable[[], None]) -> BatchResult:
        before_try()
        self.planned |= inputs
        return BatchResult(updated=frozenset(inputs))


@dataclass
class DryRunCounts:
    """What the push would have done, in messages; `already_sent` were sent by an earlier run."""

    written: int = 0
    suppressed: int = 0
    superseded: int = 0
    rejected: int = 0
    already_sent: int = 0


@dataclass(frozen=True)
class DryRun:
    """One lane of one night, pushed to nobody.

    Attributes:
        attempt: as for a push; it ends with no row in the ledger.
        crm: read from only.
        compose, policy, consent: as for a push.
        properties: those whose values of now are shown beside what would be written.
        outputs: what the campaign writes for each confirmed message besides.
    """

    attempt: Attempt
    crm: Destination
    compose: Compose
    policy: Crm
    consent: Consent
    properties: Sequence[str]
    outputs: Sequence[str] = ()

    def run(self, *, dag_id: str) -> DryRunCounts:
        """Keep in `ops.dry_run` what a push right now would do with each message. Running it again replaces what it left.

        Raises:
            TransientError, TerminalError: the CRM cannot be read.
        """
        connection = self.attempt.connection
        key = {"dag_id": dag_id, "run_id": self.attempt.run_id, "lane": self.attempt.lane}
        connection.execute("DELETE FROM ops.dry_run WHERE (dag_id, run_id, lane) = (%(dag_id)s, %(run_id)s, %(lane)s)", key)
        counts = DryRunCounts()
        with closing(self.attempt.candidates(self.policy.batch_size)) as pages:
            for slots in pages:
                self._keep(connection, self._rehearse(slots), dag_id, counts)
        counts.already_sent = self.attempt.lane_states()[0]
        return counts

    def _rehearse(self, slots: Sequence[Slot]) -> list[tuple[Claimed, str, str, dict[str, list[str | None]]]]:
        """Message, outcome, reason and changes."""
        held = {each.name: getattr(self.attempt, each.name) for each in fields(Attempt)}
        attempt, crm = DryAttempt(**held), ReadOnlyCrm(self.crm)
        Batch(attempt, crm, self.compose, self.policy, self.consent).run(slots)
        now = self.crm.batch_read(list(crm.planned), self.properties) if crm.planned else {}
        rows = []
        for slot, message in attempt.claimed.items():
            state, reason = attempt.ends[slot]
            planned = crm.planned.get(message.crm_id, {}) if state == "confirmed" else {}
            current = now[message.crm_id].properties if message.crm_id in now else {}
            changes = {name: [current.get(name), value] for name, value in planned.items() if current.get(name) != value}
            words = ", and a ".join(["would be written now", *self.outputs]) if state == "confirmed" else reason
            rows.append((message, OUTCOMES[state], words, changes))
        return rows

    def _keep(
        self,
        connection: psycopg.Connection,
        rows: Iterable[tuple[Claimed, str, str, dict[str, list[str | None]]]],
        dag_id: str,
        counts: DryRunCounts,
    ) -> None:
        attempt = self.attempt
        with connection.cursor() as cursor, cursor.copy(COPY) as copy:
            for message, outcome, reason, changes in rows:
                setattr(counts, outcome, asdict(counts)[outcome] + 1)
                copy.write_row(
                    (dag_id, attempt.run_id, attempt.campaign, attempt.day, attempt.lane, message.person_id, message.slot,
                     message.crm_id, message.message_id, outcome, reason, json.dumps(changes))
                )  # fmt: skip
