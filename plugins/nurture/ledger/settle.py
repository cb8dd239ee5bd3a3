"""Find out what became of messages whose answer was not seen: read the CRM back, never send again on a guess."""

from dataclasses import dataclass

from nurture.ledger.attempt import Attempt
from nurture.ledger.destination import Destination
from nurture.ledger.messages import Slot, Unanswered
from nurture.policy import Crm
from nurture.warehouse.crm_contact_rows import Contact

MESSAGE_ID = "nurture_message_id"


@dataclass
class Settled:
    """What reading back said, in messages, and the seconds until the youngest of the rest may be judged."""

    confirmed: int = 0
    let_go: int = 0
    gone: int = 0
    wait_seconds: float = 0.0


def settle(attempt: Attempt, crm: Destination, policy: Crm) -> Settled:
    """Confirm what the CRM has, let go of what it has not, and leave what may still be on its way.

    A message that is not there is only let go when this process has waited `settle_after_seconds` for it: a slow CRM may
    write late. Clocks are not asked, for they may be set. A merged contact is looked up under its survivor, who has its
    history too; of one that is gone nobody can say what it got.

    Raises:
        TransientError: the CRM cannot be read; nothing was decided for what is left.
    """
    total = Settled()
    for page in attempt.unanswered(policy.batch_size):
        contacts = crm.batch_read([row.crm_id for row in page], [MESSAGE_ID], history_of=[MESSAGE_ID], follow_merges=True)
        found: dict[Slot, str] = {}
        missing: dict[Slot, str] = {}
        gone: dict[Slot, str] = {}
        for row in page:
            contact = contacts.get(row.crm_id)
            if contact is None:
                gone[row.key] = (
                    "the contact left the CRM (deleted or archived) before the outcome was known: it may have been written, "
                    "so it is never sent again"
                )
            elif _has(contact, row):
                found[row.key] = "the answer was not seen; found in the CRM on reading back"
            elif (waited := attempt.unheard.seconds(row.key)) >= policy.settle_after_seconds:
                missing[row.key] = f"not in the CRM after a wait of {waited:.0f} s: may be sent again"
            else:
                total.wait_seconds = max(total.wait_seconds, policy.settle_after_seconds - waited)
        total.confirmed += len(attempt.move("confirmed", found))
        total.let_go += len(attempt.move("claimed", missing, only_from="unknown"))
        total.gone += len(attempt.move("suppressed", gone, only_from="unknown"))
    return total


def _has(contact: Contact, row: Unanswered) -> bool:
    """Whether the message was ever written to the contact; a later message may stand in its place by now."""
    return contact.properties.get(MESSAGE_ID) == row.message_id or row.message_id in contact.history.get(MESSAGE_ID, ())
