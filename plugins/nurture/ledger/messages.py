"""What an attempt is handed of the ledger: the messages that it may send, and those whose outcome is not known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Slot = tuple[str, str]
"""Person id and slot: with the campaign, what a person would call "the same message", and the key of the ledger."""


@dataclass(frozen=True)
class Claimed:
    """A message that this attempt may send.

    Attributes:
        blocked: why it must not be sent, or None.
        superseded: which fresher message the person has, or how old this one is, or None.
        unfit: why neither the chosen copy nor the static one may go out, or None.
        twin_crm_ids: the other contacts of the same address, whose refusal counts too.
        template: `id@version`.
        output: the copy, placeholders not filled.
        placeholder_values: what the warehouse knows of the person; personal data.
        send_after: when the person may be written to: now, or the end of the quiet hours.
    """

    person_id: str
    slot: str
    crm_id: str
    message_id: str
    blocked: str | None
    superseded: str | None
    unfit: str | None
    twin_crm_ids: Sequence[str]
    template: str
    output: Mapping[str, Any]
    placeholder_values: Mapping[str, str | None]
    send_after: datetime

    @property
    def key(self) -> Slot:
        return self.person_id, self.slot


@dataclass(frozen=True)
class Unanswered:
    """A message whose outcome is not known."""

    person_id: str
    slot: str
    crm_id: str
    message_id: str

    @property
    def key(self) -> Slot:
        return self.person_id, self.slot
