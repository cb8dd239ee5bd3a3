"""What further outputs of a message need of a CRM: records on a contact's timeline that are found again by a key of ours."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from nurture.ledger.destination import Destination


@dataclass(frozen=True)
class Draft:
    """What one note or task says; plain text, which the CRM's side escapes.

    Attributes:
        key: ours; the record carries it, and is found by it.
        crm_id: the contact on whose timeline it goes.
        confirmed_at: when the CRM confirmed the message.
        due_at: when sales should have followed up.
        priority: of a task: LOW, MEDIUM or HIGH.
        owner_id: who looks after the contact in the CRM, or None.
    """

    key: str
    crm_id: str
    campaign: str
    template: str
    headline: str
    body: str
    cta: str
    confirmed_at: datetime
    due_at: datetime
    priority: str
    owner_id: str | None = None


@dataclass(frozen=True)
class Created:
    """What the CRM said about each record of a batch.

    Attributes:
        record_ids: by key, the records made.
        errors: for each key refused, the vendor's category and words (no addresses).
    """

    record_ids: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)


class Timeline(Destination, Protocol):
    """A CRM whose contacts have timelines."""

    owner_property: str
    """Of a contact: who looks after it."""

    def find(self, output: str, crm_ids: Sequence[str]) -> Mapping[str, str]:
        """Record ids by key, of what we put on the timelines of living contacts; sees every write that was answered.

        Raises:
            TransientError: no answer after all attempts.
        """

    def create(self, output: str, drafts: Sequence[Draft], *, before_try: Callable[[], None]) -> Created:
        """Make a record for each of `drafts`. For `before_try` and what is raised see `Destination.batch_update`."""
