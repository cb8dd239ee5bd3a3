"""One attempt to push one lane of one night, and the rows of `ops.push_ledger` that it holds.

An attempt holds a database lock named after its claim token for as long as its session lives. So an attempt that crashed,
was killed or lost its session is known to be gone without clocks or heartbeats, and one that still runs is left alone.
"""

from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg.rows import class_row

from nurture.consent.decision import Decision, decision_parameters
from nurture.contact_policy.rules import timing, withholding
from nurture.ledger.messages import Claimed, Slot, Unanswered
from nurture.ledger.unheard import Unheard
from nurture.policy import Contact, load_policy
from nurture.warehouse.dead_letter import DeadLetter, bury
from nurture.warehouse.statements import statement

ATTEMPT_LOCKS = 7_262_002  # first half of the key of each attempt's lock
CLAIM_LOCK = 7_262_003  # one claim at a time, of all campaigns: none reaches for a slot or a place below the cap of another
NOBODY = UUID(int=0)  # holder of a row that was let go
FRESHNESS_DAYS = 7  # of campaigns that do not say their own

CAME_FROM = {
    "sent": ["claimed"],
    "confirmed": ["sent", "unknown"],
    "rejected": ["claimed", "sent", "unknown"],
    "unknown": ["sent"],
    "suppressed": ["claimed", "sent", "unknown"],
    "superseded": ["claimed"],
    "claimed": ["sent", "unknown"],
}
"""For each state, those that a row may come from; going back to `claimed` lets go of the row."""

SETTLED = ("confirmed", "suppressed", "superseded")  # nothing is left to do
SOURCE = "crm.push"  # of dead letters


NO_DECISIONS: Mapping[Slot, Decision] = {}


@dataclass
class Attempt:
    """Every step is one transaction, guarded by the token and committed, so that it survives a crash right after it.

    Attributes:
        unheard: for how long nothing was heard of a slot; shared by the attempt's threads.
    """

    connection: psycopg.Connection
    campaign: str
    lane: str
    day: str
    run_id: str
    token: UUID
    abandoned: list[UUID]
    freshness_days: int = FRESHNESS_DAYS
    only: list[str] | None = None
    contact: Contact = field(default_factory=lambda: load_policy().contact)
    unheard: Unheard[Slot] = field(default_factory=Unheard)

    def over(self, connection: psycopg.Connection) -> "Attempt":
        """The same attempt over another connection, for a thread of its own: same token, so held and fenced off together.

        The lock stays with the session that began the attempt. Were that one lost while another still works, an heir would
        take the rows over, and the token fences the late one off.
        """
        connection.autocommit = True
        connection.prepare_threshold = 0  # planning a claim costs as much as running it: once for a connection is enough
        connection.execute("SET plan_cache_mode = force_generic_plan")
        return replace(self, connection=connection)

    def candidates(self, rows: int) -> Generator[list[Slot], None, None]:
        """Slots that may be claimed as of now, `rows` at a time."""
        with self.connection.cursor(f"candidates_{uuid4().hex}", withhold=True) as cursor:
            cursor.execute(statement("ledger/candidates.sql"), self._bind(abandoned=self.abandoned, only=self.only))
            while page := cursor.fetchmany(rows):
                yield [(person_id, slot) for person_id, slot in page]

    def claim(self, slots: Sequence[Slot]) -> list[Claimed]:
        """Those of `slots` that this attempt now holds; copy that may not go out any more is replaced by static copy."""
        person_ids = [person_id for person_id, _ in slots]
        with self.connection.transaction(), self.connection.cursor(row_factory=class_row(Claimed)) as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", (CLAIM_LOCK,))
            problems = self.connection.execute(
                statement("ledger/copy_problems.sql"), self._bind(person_ids=person_ids)
            ).fetchall()
            withheld = self.connection.execute(
                statement("ledger/withheld.sql"),
                self._bind(person_ids=person_ids, **withholding(self.contact, self.campaign)),
            ).fetchall()
            return cursor.execute(
                statement("ledger/claim.sql"),
                self._bind(
                    abandoned=self.abandoned,
                    person_ids=person_ids,
                    freshness_days=self.freshness_days,
                    problem_copy_ids=[copy_id for copy_id, _ in problems],
                    problems=[words for _, words in problems],
                    withheld_person_ids=[person_id for person_id, _ in withheld],
                    withheld_words=[words for _, words in withheld],
                    **timing(self.contact),
                ),
            ).fetchall()

    def move(
        self,
        state: str,
        reasons: Mapping[Slot, str],
        *,
        only_from: str | None = None,
        decisions: Mapping[Slot, Decision] = NO_DECISIONS,
    ) -> set[Slot]:
        """Move slots to `state`, each with its reason in words; returns those that this attempt still held.

        Args:
            only_from: leave rows alone that are in another state than this.
            decisions: over consent, of slots among `reasons`: kept for those that move, in the same statement.
        """
        if not reasons:
            return set()
        rows = self.connection.execute(
            statement("ledger/move.sql"),
            self._bind(
                state=state,
                from_states=[only_from] if only_from else CAME_FROM[state],
                next_token=NOBODY if state == "claimed" else self.token,
                person_ids=[person_id for person_id, _ in reasons],
                slots=[slot for _, slot in reasons],
                reasons=list(reasons.values()),
                **decision_parameters(decisions),
            ),
        ).fetchall()
        moved = {(row[0], row[1]) for row in rows}
        if state == "unknown":
            self.unheard.begin(moved)
        return moved

    def still_holds(self, slots: Collection[Slot]) -> bool:
        """Whether all of `slots`, whose request goes out now, are still this attempt's; counts their age from now.

        To be asked right before every try of a write: an attempt that lost its session or its rows must not write.
        """
        going_out = dict.fromkeys(slots, "request going out; no answer seen yet")
        return len(self.move("sent", going_out, only_from="sent")) == len(slots)

    def reject(self, reasons: Mapping[Slot, str], rows: Iterable[Claimed | Unanswered]) -> int:
        """Keep why in the ledger, and a dead letter where it can be seen and tried again; returns how many of `rows`."""
        if not reasons:
            return 0
        with self.connection.transaction():
            moved = self.move("rejected", reasons)
            letters = [
                DeadLetter(
                    source=SOURCE,
                    key=self._letter_key(row.person_id, row.slot),
                    reason=reasons[row.key],
                    payload={"crm_id": row.crm_id, "message_id": row.message_id},
                )
                for row in rows
                if row.key in moved
            ]
            return bury(self.connection, letters, dag_id=self.campaign, run_id=self.run_id)

    def take_over(self) -> int:
        """Become the holder of the campaign's rows that an attempt sent and then was gone; returns how many."""
        return self.connection.execute(statement("ledger/take_over.sql"), self._bind(abandoned=self.abandoned)).rowcount

    def unanswered(self, rows: int) -> Iterator[list[Unanswered]]:
        """Slots of this attempt whose outcome is not known, `rows` at a time."""
        person_id, slot = "", ""
        while True:
            with self.connection.cursor(row_factory=class_row(Unanswered)) as cursor:
                page = cursor.execute(
                    statement("ledger/unanswered.sql"),
                    self._bind(after_person=person_id, after_slot=slot, rows=rows),
                ).fetchall()
            if not page:
                return
            yield page
            person_id, slot = page[-1].key

    def lane_states(self) -> tuple[int, int, int]:
        """Messages of the lane: sent by an earlier attempt, not yet settled by anyone, unknown in this attempt."""
        row = self.connection.execute(statement("ledger/lane_states.sql"), self._bind()).fetchone()
        return row or (0, 0, 0)

    def _letter_key(self, person_id: str, slot: str) -> str:
        return f"{self.campaign}/{person_id}/{slot}"

    def _bind(self, **more: Any) -> dict[str, Any]:
        return {
            "campaign": self.campaign,
            "lane": self.lane,
            "day": self.day,
            "run_id": self.run_id,
            "token": self.token,
        } | more


@contextmanager
def attempt(
    connection: psycopg.Connection,
    *,
    campaign: str,
    lane: str,
    day: str,
    run_id: str,
    freshness_days: int = FRESHNESS_DAYS,
    only: Sequence[str] | None = None,
    contact: Contact | None = None,
) -> Iterator[Attempt]:
    """Begin an attempt on `connection`: a session of its own, outside a transaction, no transaction pooling in between.

    The connection commits each statement while the attempt lasts, for a step that is not committed guards nothing.

    Args:
        freshness_days: a message whose trigger is older than this many UTC days is superseded, not sent.
        only: ids of the persons whose messages are pushed; None: everybody's.
        contact: frequency cap, quiet hours, priority; None: as `include/policy.yaml` has them.
    """
    token = uuid4()
    key = (ATTEMPT_LOCKS, str(token))
    connection.autocommit = True
    try:
        connection.execute("SELECT pg_advisory_lock(%s, hashtext(%s))", key)
        rows = connection.execute(
            statement("ledger/abandoned_attempts.sql"), {"campaign": campaign, "lock_space": ATTEMPT_LOCKS}
        ).fetchall()
        yield Attempt(
            connection, campaign, lane, day, run_id, token, [NOBODY, *(row[0] for row in rows)], freshness_days,
            None if only is None else list(only), contact or load_policy().contact,
        )  # fmt: skip
    finally:
        if not connection.closed:
            connection.execute("SELECT pg_advisory_unlock(%s, hashtext(%s))", key)
            connection.autocommit = False
