"""Dead letters of CRM contacts: opened when a fault is met, closed when the contact comes without it."""

from collections.abc import Sequence
from typing import Any

import psycopg

from nurture.warehouse.dead_letter import DeadLetter, bury
from nurture.warehouse.statements import statement


def keep(
    connection: psycopg.Connection, crm_ids: Sequence[str], letters: Sequence[DeadLetter], *, dag_id: str, run_id: str
) -> int:
    """Bury `letters` of the delivered contacts `crm_ids` and resolve those that they gave no reason for any more.

    A letter that is open just so is left alone: archived contacts are delivered every night, changed or not.
    Returns how many were buried.
    """
    met = {"keys": [letter.key for letter in letters], "fields": [letter.field for letter in letters]}
    connection.execute(statement("raw_hubspot/resolve_dead_letters.sql"), {"crm_ids": list(crm_ids)} | met)
    if not letters:
        return 0
    rows: list[tuple[Any, ...]] = connection.execute(statement("raw_hubspot/open_dead_letters.sql"), met).fetchall()
    is_open = {(key, field): (reason, payload) for key, field, reason, payload in rows}
    new = [letter for letter in letters if is_open.get((letter.key, letter.field)) != (letter.reason, letter.payload)]
    return bury(connection, new, dag_id=dag_id, run_id=run_id)
