"""Look for what an erasure left behind: in every table that there is, mapped or not."""

from collections.abc import Collection

import psycopg
from psycopg import sql

from nurture.privacy.columns import mentions, subject_of
from nurture.privacy.schema import read_schema

TEXTUAL = ("text", "text[]", "character varying", "character varying[]", "character", "json", "jsonb", "xml", "name")
SUBJECTS = "ops.privacy_subject"  # names the person until the request is closed


def leftovers(connection: psycopg.Connection, request_id: int, *, kept: Collection[str] = ()) -> dict[str, int]:
    """Rows by table in which an identifier of the person still stands; empty when the erasure is complete.

    Reads every column of text or JSON of every table once. Identifiers shorter than six characters are looked for as
    whole values only, for they stand in dates and counts too.

    Args:
        kept: tables that may name the person, as the data map says why.
    """
    subject = subject_of(connection, request_id)
    found: dict[str, int] = {}
    for name, columns in read_schema(connection).items():
        textual = [column.name for column in columns.values() if column.data_type in TEXTUAL]
        if not textual or name == SUBJECTS or name in kept:
            continue
        query = sql.SQL("SELECT count(*)::int FROM {} WHERE {}").format(
            sql.Identifier(*name.split(".", 1)), mentions(textual)
        )
        [count] = connection.execute(query, subject.parameters).fetchone() or [0]
        if count:
            found[name] = count
    return found
