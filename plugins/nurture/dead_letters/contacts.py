"""Dead letters of CRM contacts: the contact is read again by its id and loaded."""

from collections.abc import Iterator, Sequence
from itertools import islice

import psycopg

from nurture.dead_letters.letters import Answer, Answers, Asking, Letter
from nurture.errors import TerminalError, TransientError
from nurture.ledger.destination import Destination
from nurture.policy import Policy
from nurture.warehouse.crm_contact_rows import Contact, wanted_properties
from nurture.warehouse.crm_contacts import load_chosen_contacts

GONE = (
    "the CRM has no living contact of this id (archived, deleted or erased); customer_data reads the archived ones every "
    "night and resolves the letter when one comes without the fault. Else give it up."
)


def read_again(
    connection: psycopg.Connection, letters: Sequence[Letter], crm: Destination, policy: Policy, asking: Asking
) -> Iterator[Answers]:
    """What came of `letters`, a page of contacts at a time. A contact that was merged is answered by its survivor."""
    crm_ids = iter(dict.fromkeys(letter.key for letter in letters))
    while page := list(islice(crm_ids, policy.crm.page_size)):
        concerned = [letter for letter in letters if letter.key in page]
        try:
            contacts = crm.batch_read(page, wanted_properties(policy.consent), follow_merges=True)
        except (TransientError, TerminalError) as error:
            yield {letter.dead_letter_id: Answer("refused", str(error)) for letter in concerned}
            continue
        living = list({contact.crm_id: contact for contact in contacts.values()}.values())
        load_chosen_contacts(connection, living, policy.crm, policy.consent, dag_id=asking.dag_id, run_id=asking.run_id)
        still_open = _still_open(connection, concerned)
        yield {letter.dead_letter_id: _came_of(letter, contacts.get(letter.key), still_open) for letter in concerned}


def _came_of(letter: Letter, contact: Contact | None, still_open: dict[int, str]) -> Answer:
    if contact is None:
        return Answer("not_retried", GONE)
    if contact.crm_id != letter.key:
        return Answer("settled", f"the CRM merged the contact into {contact.crm_id}, which was read again instead")
    if letter.dead_letter_id in still_open:
        return Answer("refused", still_open[letter.dead_letter_id])
    return Answer("mended", "read again: the contact came without the fault")


def _still_open(connection: psycopg.Connection, letters: Sequence[Letter]) -> dict[int, str]:
    rows = connection.execute(
        "SELECT dead_letter_id, reason FROM ops.dead_letter WHERE dead_letter_id = ANY(%s) AND resolved_at IS NULL",
        ([letter.dead_letter_id for letter in letters],),
    ).fetchall()
    connection.commit()
    return dict(rows)
