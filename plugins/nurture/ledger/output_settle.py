"""Find out what became of outputs whose answer was not seen: look their keys up in the CRM, never write again on a guess."""

from nurture.ledger.output_rows import OutputRows
from nurture.ledger.settle import Settled
from nurture.ledger.timeline import Timeline
from nurture.policy import Crm


def settle_outputs(rows: OutputRows, crm: Timeline, policy: Crm) -> Settled:
    """Confirm what is on the contacts' timelines, let go of what is not, and leave what may still be on its way.

    The timeline is read, not the search, which lags behind writes. A merged contact is looked up under its survivor, who has
    its timeline too; what was on the timeline of one that is gone nobody can say, so it is not written again.

    Raises:
        TransientError: the CRM cannot be read; nothing was decided for what is left.
    """
    total = Settled()
    for page in rows.unanswered(policy.batch_size):
        contacts = crm.batch_read([row.crm_id for row in page], [], follow_merges=True)
        there = crm.find(rows.output, sorted({contact.crm_id for contact in contacts.values()}))
        found: dict[str, str] = {}
        missing: dict[str, str] = {}
        gone: dict[str, str] = {}
        for row in page:
            if row.key in there:
                found[row.key] = "the answer was not seen; found in the CRM by its key"
            elif row.crm_id not in contacts:
                gone[row.key] = (
                    "the contact left the CRM (deleted or archived) before the outcome was known: it may have been written, "
                    "so it is never written again"
                )
            elif (waited := rows.unheard.seconds(row.key)) >= policy.settle_after_seconds:
                missing[row.key] = f"not in the CRM after a wait of {waited:.0f} s: may be written again"
            else:
                total.wait_seconds = max(total.wait_seconds, policy.settle_after_seconds - waited)
        total.confirmed += len(rows.move("confirmed", found, record_ids=there))
        total.let_go += len(rows.move("claimed", missing, only_from="unknown"))
        total.gone += len(rows.move("suppressed", gone, only_from="unknown"))
    return total
