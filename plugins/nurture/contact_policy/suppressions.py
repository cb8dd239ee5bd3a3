"""Suppression lists as they are kept: entries are added and removed, never changed, so that who did what and when stays."""

from dataclasses import dataclass

import psycopg

from nurture.contact_policy.suppression_form import ADD, SuppressionChange
from nurture.warehouse.statements import statement


@dataclass(frozen=True)
class SuppressionCounts:
    """Entries that were changed, entries that were so before, and those that the list holds now."""

    changed: int
    unchanged: int
    on_the_list: int


def apply_change(connection: psycopg.Connection, change: SuppressionChange, *, by: str) -> SuppressionCounts:
    """Add the values to a list, or remove them, for every later statement of anyone once the caller has committed.

    Args:
        by: who did it.
    """
    name = "add" if change.action == ADD else "remove"
    values = {"list": change.list, "kind": change.kind, "values": list(change.values), "reason": change.note,
              "by": by, "source": "set_suppression"}  # fmt: skip
    changed = connection.execute(statement(f"contact_policy/{name}_suppression.sql"), values).rowcount
    query = "SELECT count(*) FROM ops.suppression WHERE list = %(list)s AND removed_at IS NULL"
    row = connection.execute(query, values).fetchone()
    return SuppressionCounts(changed, len(change.values) - changed, row[0] if row else 0)
