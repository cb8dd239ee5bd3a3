"""What makes people out of contacts and devices, in order; a night does it, and whoever separates two people does it too."""

from datetime import date

import psycopg

from nurture.warehouse.statements import statement

RESOLVE_PEOPLE = (
    "marts/lock_identity.sql",
    "marts/create_touched.sql",
    "marts/take_changes.sql",
    "marts/analyze_touched.sql",
    "marts/inherit_merged_person.sql",
    "marts/new_person.sql",
    "marts/touch_people.sql",
    "marts/analyze_touched.sql",
    "marts/merge_person.sql",
    "marts/flatten_merges.sql",
    "marts/follow_survivor.sql",
    "marts/analyze_touched.sql",
    "marts/refresh_person.sql",
    "marts/touch_identifiers.sql",
    "marts/analyze_touched.sql",
    "marts/link_identifiers.sql",
    "marts/link_devices.sql",
    "marts/consent_event.sql",
)
"""Paths below `include/sql`. One transaction: the lock and what was touched live as long as it does, and whoever takes the
notes of changed contacts must follow them to the end, or nobody will."""


def resolve_people(connection: psycopg.Connection, *, first_day: date, day: date) -> None:
    """Look at everybody who changed since the last time, and at the devices seen from `first_day` to `day`.

    A `first_day` after `day` looks at no days but those loaded since. Commits nothing.
    """
    for name in RESOLVE_PEOPLE:
        connection.execute(statement(name), {"first_day": first_day, "day": day})
