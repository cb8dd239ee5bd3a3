"""Who gets which copy tonight, decided in one statement over the whole audience."""

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from typing import Literal

import psycopg
from psycopg.types.json import Jsonb

from nurture.copywriting.vocabulary import LONGEST_WORD, Vocabulary, known_word, raw_keys
from nurture.errors import NurtureError
from nurture.warehouse.statements import statement

Spellings = dict[str, dict[str, str]]
"""Key of a raw context → value as it occurs tonight → word of the vocabulary. Values that are no such word are left out."""

VALUES_AT_A_TIME = 5_000  # that are held in memory


@dataclass(frozen=True)
class DistinctContext:
    """A context and arm that occur in tonight's audience. `context` is JSON text, exactly as PostgreSQL gives it."""

    context: str
    arm: Literal["ai", "static"]
    people: int


@dataclass(frozen=True)
class Choice:
    """What everyone of one context and arm gets."""

    context: str
    arm: str
    copy_id: str
    fallback_copy_id: str
    lane: Literal["ready", "approval"]


def found_spellings(
    connection: psycopg.Connection, campaign: str, day: str, keys: Iterable[str], vocabulary: Vocabulary
) -> Spellings:
    """How the words of `keys` are spelt in the contexts of the people of `campaign` who get a message on `day`.

    People type anything into free fields: what is no word of the vocabulary passes through here and is not held.
    """
    spellings: Spellings = {key: {} for key in raw_keys(keys)}
    values = {"campaign": campaign, "day": day, "keys": list(spellings), "longest": LONGEST_WORD}
    with connection.cursor(name="context_values") as cursor:
        cursor.itersize = VALUES_AT_A_TIME
        cursor.execute(statement("copy/context_values.sql"), values)
        for key, value in cursor:
            if word := known_word(key, value, vocabulary):
                spellings[key][value] = word
    return spellings


def distinct_contexts(
    connection: psycopg.Connection, campaign: str, day: str, spellings: Spellings
) -> list[DistinctContext]:
    """The contexts of the people of `campaign` who get a message on `day`, as far as `spellings` tell them apart."""
    values = {"campaign": campaign, "day": day, "spellings": Jsonb(spellings)}
    return [DistinctContext(*row) for row in connection.execute(statement("copy/distinct_contexts.sql"), values)]


def choose_messages(
    connection: psycopg.Connection,
    campaign: str,
    day: str,
    choices: Iterable[Choice],
    spellings: Spellings,
    *,
    people: int,
) -> None:
    """Replace the `ops.message` rows of one night, and commit.

    Args:
        spellings: by which the contexts of `choices` were told apart.

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
        cursor.execute(statement("copy/choose_messages.sql"), night | {"spellings": Jsonb(spellings)})
        if cursor.rowcount != people:
            raise NurtureError(
                f"{campaign} {day}: {cursor.rowcount} messages for {people} people; the audience changed while copy was "
                "written. Clear the run from select_audience on."
            )
    connection.commit()
