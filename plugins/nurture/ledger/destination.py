"""What the ledger needs of a CRM: read contacts by id, write properties in batches, and say honestly what happened."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from nurture.errors import TerminalError
from nurture.warehouse.crm_contact_rows import Contact


class BatchRefused(TerminalError):
    """The whole batch was refused because of one or more of its records: nothing of it was written."""


@dataclass(frozen=True)
class BatchResult:
    """What the CRM said about each record of a batch.

    Attributes:
        updated: ids of records written.
        errors: for each id refused, the vendor's category and words (no addresses).
    """

    updated: frozenset[str] = frozenset()
    errors: Mapping[str, str] = field(default_factory=dict)


class Destination(Protocol):
    """A CRM to push to."""

    def batch_read(
        self,
        crm_ids: Sequence[str],
        properties: Sequence[str],
        *,
        history_of: Sequence[str] = (),
        follow_merges: bool = False,
    ) -> Mapping[str, Contact]:
        """Contacts by the id asked for; archived and deleted ones are not in the answer.

        Args:
            follow_merges: a contact that was merged is answered by its survivor; else it is not in the answer.

        Raises:
            TransientError: no answer after all attempts.
        """

    def batch_update(self, inputs: Mapping[str, Mapping[str, str]], *, before_try: Callable[[], None]) -> BatchResult:
        """Write properties of the contacts in `inputs`, which maps an id to its properties.

        Args:
            before_try: called right before every request, the repeated ones too; what it raises ends the write.

        Raises:
            BatchRefused: nothing was written, because of a record in the batch.
            TerminalError: nothing was written, and another try gives the same answer.
            TransientError: nothing was written; later it may work.
            OutcomeUnknown: the request went out and no usable answer was seen.
        """
