"""The rows of `ops.push_output` that an attempt holds for one kind of output; as in `attempt.py`, each step is committed."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import class_row

from nurture.ledger.attempt import ATTEMPT_LOCKS, NOBODY, Attempt
from nurture.ledger.messages import Slot
from nurture.ledger.unheard import Unheard
from nurture.warehouse.dead_letter import DeadLetter, bury
from nurture.warehouse.statements import statement

CLAIM_LOCKS = 7_262_004  # one claim at a time in a campaign: whoever finds nothing knows that nothing is left

CAME_FROM = {
    "sent": ["claimed"],
    "confirmed": ["sent", "unknown"],
    "rejected": ["claimed", "sent"],
    "unknown": ["sent"],
    "suppressed": ["claimed", "unknown"],
    "claimed": ["sent", "unknown"],
}
"""For each state, those that a row may come from; going back to `claimed` lets go of the row."""

START: Slot = ("", "")  # before every key


@dataclass(frozen=True)
class ClaimedOutput:
    """An output that this attempt may write.

    Attributes:
        key: ours, by which the record is found in the CRM.
        confirmed_at: when the CRM confirmed the message.
        template: `id@version`.
        parts: the message's copy, placeholders not filled.
        placeholder_values: what the warehouse knows of the person; personal data.
        twin_crm_ids: the other contacts of the same address, whose refusal counts too.
    """

    person_id: str
    slot: str
    key: str
    crm_id: str
    confirmed_at: datetime
    template: str
    parts: Mapping[str, Any]
    placeholder_values: Mapping[str, str | None]
    twin_crm_ids: Sequence[str]


@dataclass(frozen=True)
class UnansweredOutput:
    """An output whose outcome is not known."""

    key: str
    crm_id: str


class OutputRows:
    """Rows of one kind of output (`note`, `task`), under the token and the lock of an attempt."""

    def __init__(self, attempt: Attempt, output: str) -> None:
        self._attempt = attempt
        self._connection = attempt.connection
        self.output = output
        self.unheard: Unheard[str] = Unheard()
        found = self._connection.execute(
            statement("ledger/output_abandoned_attempts.sql"), self._bind(lock_space=ATTEMPT_LOCKS)
        ).fetchall()
        self._abandoned: list[UUID] = [NOBODY, *(token for (token,) in found)]

    @property
    def source(self) -> str:
        """Of dead letters."""
        return f"crm.{self.output}"

    def claims(self, rows: int) -> Iterator[list[ClaimedOutput]]:
        """Outputs that this attempt now holds, `rows` at a time, by key, again from the start until a walk finds nothing."""
        after = START
        while True:
            if page := self.claim(rows, after):
                after = page[-1].person_id, page[-1].slot
                yield page
            elif after == START:
                return
            else:
                after = START  # what another attempt let go of meanwhile may lie before

    def claim(self, rows: int, after: Slot) -> list[ClaimedOutput]:
        """The next outputs after a key; none after the start means that none are left."""
        person_id, slot = after
        with self._connection.transaction(), self._connection.cursor(row_factory=class_row(ClaimedOutput)) as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (CLAIM_LOCKS, self._attempt.campaign))
            return cursor.execute(
                statement("ledger/output_claim.sql"),
                self._bind(abandoned=self._abandoned, after_person=person_id, after_slot=slot, rows=rows),
            ).fetchall()

    def move(
        self,
        state: str,
        reasons: Mapping[str, str],
        *,
        only_from: str | None = None,
        record_ids: Mapping[str, str] | None = None,
    ) -> set[str]:
        """Move outputs to `state`, by key, each with its reason; returns the keys that this attempt still held."""
        if not reasons:
            return set()
        found = self._connection.execute(
            statement("ledger/output_move.sql"),
            self._bind(
                state=state,
                from_states=[only_from] if only_from else CAME_FROM[state],
                next_token=NOBODY if state == "claimed" else self._attempt.token,
                keys=list(reasons),
                reasons=list(reasons.values()),
                record_ids=[(record_ids or {}).get(key) for key in reasons],
            ),
        ).fetchall()
        moved = {key for (key,) in found}
        if state == "unknown":
            self.unheard.begin(moved)
        return moved

    def still_holds(self, keys: Collection[str]) -> bool:
        """Whether all of `keys`, whose request goes out now, are still this attempt's; counts their age from now."""
        going_out = dict.fromkeys(keys, "request going out; no answer seen yet")
        return len(self.move("sent", going_out, only_from="sent")) == len(keys)

    def reject(self, reasons: Mapping[str, str], claimed: Sequence[ClaimedOutput]) -> int:
        """Keep why in the row, and a dead letter where it can be seen; returns how many of `claimed`."""
        with self._connection.transaction():
            moved = self.move("rejected", reasons)
            letters = [
                DeadLetter(
                    source=self.source,
                    key=f"{self._attempt.campaign}/{row.person_id}/{row.slot}",
                    reason=reasons[row.key],
                    payload={"crm_id": row.crm_id, "output_key": row.key},
                )
                for row in claimed
                if row.key in moved
            ]
            return bury(self._connection, letters, dag_id=self._attempt.campaign, run_id=self._attempt.run_id)

    def take_over(self) -> None:
        """Become the holder of the campaign's outputs that an attempt sent and then was gone."""
        self._connection.execute(statement("ledger/output_take_over.sql"), self._bind(abandoned=self._abandoned))

    def unanswered(self, rows: int) -> Iterator[list[UnansweredOutput]]:
        """Outputs of this attempt whose outcome is not known, `rows` at a time."""
        after = ""
        while True:
            with self._connection.cursor(row_factory=class_row(UnansweredOutput)) as cursor:
                page = cursor.execute(
                    statement("ledger/output_unanswered.sql"), self._bind(after=after, rows=rows)
                ).fetchall()
            if not page:
                return
            yield page
            after = page[-1].key

    def states(self) -> tuple[int, int]:
        """Of the night's confirmed messages: outputs that an earlier attempt wrote, and outputs not settled by anyone."""
        row = self._connection.execute(statement("ledger/output_states.sql"), self._bind()).fetchone()
        return row or (0, 0)

    def _bind(self, **more: Any) -> dict[str, Any]:
        return {
            "campaign": self._attempt.campaign,
            "day": self._attempt.day,
            "run_id": self._attempt.run_id,
            "token": self._attempt.token,
            "freshness_days": self._attempt.freshness_days,
            "only": self._attempt.only,
            "output": self.output,
        } | more
