"""Look for what an erasure left behind: in every table that there is, mapped or not."""

import psycopg
from psycopg import sql

from nurture.privacy.columns import mentions, subject_of
from nurture.privacy.data_map import DataMap, Table
from nurture.privacy.schema import read_schema

TEXTUAL = ("text", "text[]", "character varying", "character varying[]", "character", "json", "jsonb", "xml", "name")
UNMAPPED = Table(holds="nobody said", kept="nobody said")


def leftovers(connection: psycopg.Connection, data_map: DataMap, request_id: int) -> dict[str, int]:
    """Rows by table in which an identifier of the person still stands; empty when the erasure is complete.

    Reads every column of text or JSON of every table once, but for tables that may name the person, as the data map says.
    Identifiers shorter than six characters are looked for as whole values only, for they stand in dates and counts too. One
    of digits only may also be somebody else's product or order: in tables of ours it is looked for where the data map says
    that identifiers stand, or may be named.
    """
    subject = subject_of(connection, request_id)
    found: dict[str, int] = {}
    for name, columns in read_schema(connection).items():
        table = data_map.tables.get(name, UNMAPPED)
        textual = [column.name for column in columns.values() if column.data_type in TEXTUAL]
        if not textual or table.erase == "keep":
            continue
        of_numbers = set(table.classified) - {*table.identifiers, *table.texts}  # in which a number says nothing
        query = sql.SQL("SELECT count(*)::int FROM {} WHERE {}").format(
            sql.Identifier(*name.split(".", 1)),
            sql.SQL(" OR ").join(
                mentions(some, but_numbers=but_numbers)
                for but_numbers in (False, True)
                if (some := [column for column in textual if (column in of_numbers) == but_numbers])
            ),
        )
        [count] = connection.execute(query, subject.parameters).fetchone() or [0]
        if count:
            found[name] = count
    return found
