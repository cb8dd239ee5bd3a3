"""A CRM in memory that answers as badly as it is told to, and remembers every write and who read consent before it."""

import random
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from nurture.errors import OutcomeUnknown, TransientError
from nurture.ledger.destination import BatchRefused, BatchResult
from nurture.warehouse.crm_contact_rows import Contact
from tests.faults import schedule
from tests.faults.mortal import Life

MESSAGE_ID = "nurture_message_id"
LATE_SECONDS = (1.0, 55.0)  # after the request; less than twice the request's time-out, which is what the ledger relies on


@dataclass(frozen=True)
class Write:
    """One message that arrived at one contact; `read_at` and `claimed_at` count boundaries, as withdrawals do."""

    crm_id: str
    message_id: str
    read_at: int
    claimed_at: int


@dataclass
class SimulatedCrm:
    """The contacts; shared by all attempts of a schedule.

    Attributes:
        poisoned: the contact that makes any batch with it fail.
        late: writes that are still on their way, each with the moment of its arrival.
    """

    now: Callable[[], float]
    poisoned: str | None = None
    properties: dict[str, dict[str, str]] = field(default_factory=dict)
    history: dict[str, list[str]] = field(default_factory=dict)
    writes: list[Write] = field(default_factory=list)
    late: list[tuple[float, Write]] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def write(self, write: Write) -> None:
        with self.lock:
            self.writes.append(write)
            self.properties[write.crm_id][MESSAGE_ID] = write.message_id
            self.history.setdefault(write.crm_id, []).append(write.message_id)

    def arrive(self, *, everything: bool = False) -> None:
        """Do the writes whose time has come."""
        with self.lock:
            due = [(moment, write) for moment, write in self.late if everything or moment <= self.now()]
            self.late = [item for item in self.late if item not in due]
            for _, write in due:
                self.write(write)


@dataclass
class Line:
    """One attempt's way to the CRM: a `Destination`."""

    crm: SimulatedCrm
    behaviour: schedule.Crm
    life: Life
    dice: random.Random
    read_at: dict[str, int] = field(default_factory=dict)

    def batch_read(
        self,
        crm_ids: Sequence[str],
        properties: Sequence[str],
        *,
        history_of: Sequence[str] = (),
        follow_merges: bool = False,
    ) -> Mapping[str, Contact]:
        self.life.boundary("read")
        if self.behaviour.down or self.dice.random() < self.behaviour.refuse:
            raise TransientError("the CRM does not answer")
        with self.crm.lock:
            self.crm.arrive()
            self.read_at |= dict.fromkeys(crm_ids, self.life.moment())
            found = {
                crm_id: Contact(
                    crm_id=crm_id,
                    properties={name: self.crm.properties[crm_id].get(name) for name in properties},
                    history={MESSAGE_ID: frozenset(self.crm.history.get(crm_id, ()))} if history_of else {},
                )
                for crm_id in crm_ids
                if crm_id in self.crm.properties
            }
        self.life.boundary("was read")
        return found

    def batch_update(self, inputs: Mapping[str, Mapping[str, str]], *, before_try: Callable[[], None]) -> BatchResult:
        self.life.boundary("write")
        before_try()
        self.life.boundary("request going out")
        chance = self.behaviour
        if chance.down or self.dice.random() < chance.refuse:
            raise TransientError("rate limited, and so for every attempt")
        if self.crm.poisoned in inputs:
            raise BatchRefused("HTTP 400: a value of a record does not fit")
        if self.dice.random() < chance.drop:
            raise OutcomeUnknown("the connection broke before the request arrived")
        refused = {crm_id: "refused for now" for crm_id in inputs if self.dice.random() < chance.partial}
        arriving = [
            Write(crm_id, values[MESSAGE_ID], self.read_at[crm_id], self.life.claimed_at)
            for crm_id, values in inputs.items()
            if crm_id not in refused
        ]
        if self.dice.random() < chance.late:
            with self.crm.lock:
                self.crm.late += [(self.crm.now() + self.dice.uniform(*LATE_SECONDS), write) for write in arriving]
            raise OutcomeUnknown("no answer within 30 s")
        is_strange = self.dice.random() < chance.strange
        with self.crm.lock:
            self.crm.arrive()
            for write in arriving if not is_strange or self.dice.random() < 0.5 else []:
                self.crm.write(write)
        self.life.boundary("written")
        if self.dice.random() < chance.lose:
            raise OutcomeUnknown("the connection broke after the request arrived")
        if is_strange:
            return BatchResult(updated=frozenset({"somebody-elses-record"}))
        return BatchResult(updated=frozenset(inputs) - refused.keys(), errors=refused)
