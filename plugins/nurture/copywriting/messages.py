"""Who gets which copy tonight, decided in one statement over the whole audience."""

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from typing import Literal

import psycopg

from nurture.errors import NurtureError
from nurture.warehouse.statements import statement


@dataclass(frozen=True)
class DistinctContext:
    """A raw context and arm that occur in tonight's audience. `context` is JSON text, exactly as PostgreSQL gives it."""

    context: str
    arm: Literal["ai", "static"]
    people: int


@dataclass(frozen=True)
class Choice:
    """What everyone of one raw context and arm gets."""

    context: str
    arm: str
    copy_id: str
    fallback_copy_id: str
    lane: Literal["ready", "approval"]


def distinct_contexts(connection: psycopg.Connection, campaign: str, day: str) -> list[DistinctContext]:
    """The contexts of the people of `campaign` who get a message on `day`."""
    rows = connection.execute(statement("copy/distinct_contexts.sql"), {"campaign": campaign, "day": day})
    return [DistinctContext(*row) for row in rows]


def choose_messages(
    connection: psycopg.Connection, campaign: str, day: str, choices: Iterable[Choice], *, people: int
) -> None:
    """Replace the `ops.message` rows of one night, and commit.

    Raises:
        NurtureError: the audience changed meanwhile: not exactly `people` got a message. Nothing is written then.
    """
    night = {"campaign": campaign, "day": day}
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE copy_choice "
            "(context jsonb, arm text, copy_id text, fallback_copy_id text, lane text) ON COMMIT DROP"
        )
        with cursor.copy("COPY pg_temp.copy_choice FROM STDIN") as copy:
            for choice in choices:
                copy.write_row(astuple(choice))
        cursor.execute("ANALYZE pg_temp.copy_choice")
        cursor.execute("DELETE FROM ops.message WHERE campaign = %(campaign)s AND day = %(day)s::date", night)
        cursor.execute(statement("copy/choose_messages.sql"), night)
        if cursor.rowcount != people:
            raise NurtureError(
                f"{campaign} {day}: {cursor.rowcount} messages for {people} people; the audience changed while copy was "
                "written. Clear the run from select_audience on."
            )
    connection.commit()
