"""What people did lately from which a rule infers consent."""

from collections.abc import Sequence

import psycopg

from nurture.consent.rules import Rule
from nurture.warehouse.statements import statement


def implied_consent(connection: psycopg.Connection, rule: Rule, person_ids: Sequence[str]) -> dict[str, str]:
    """Those of `person_ids` who did something from which `rule` infers consent by now: "purchase of 2026-11-02"."""
    if not rule.implied_by or not person_ids:
        return {}
    rows = connection.execute(
        statement("consent/implied.sql"),
        {
            "person_ids": list(person_ids),
            "events": [by.event for by in rule.implied_by],
            "event_days": [by.days for by in rule.implied_by],
        },
    ).fetchall()
    return dict(rows)
