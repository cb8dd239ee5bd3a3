"""Rows that could not be used, kept where they can be seen and tried again."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import psycopg

from nurture.warehouse.statements import statement

NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")  # an escaped NUL in JSON text; `\\u0000` is a backslash and six letters
PAYLOAD_LIMIT = 16_384  # characters kept of a bad row


@dataclass(frozen=True)
class DeadLetter:
    """One bad row.

    Attributes:
        source: what it came from or was going to, e.g. `ga4.events`, `crm.push`.
        key: where to find it (file:line, table:row, CRM id, request hash); never an e-mail address.
        field: the field at fault, if one is.
        reason: what was found, what was expected, what to do.
        payload: the row itself.
    """

    source: str
    key: str
    reason: str
    field: str | None = None
    payload: Any = None


def bury(
    connection: psycopg.Connection, letters: Iterable[DeadLetter], *, dag_id: str | None = None, run_id: str | None = None
) -> int:
    """Keep `letters`; one that was met before counts an attempt more. Returns how many were given.

    A letter that somebody gave up stays so while the same payload comes again; with another payload it is open anew.
    """
    rows = [
        {
            "source": letter.source, "key": letter.key, "field": letter.field, "reason": letter.reason,
            "payload": _cut(letter.payload), "payload_hash": payload_hash(letter.payload),
            "dag_id": dag_id, "run_id": run_id,
        }
        for letter in letters
    ]  # fmt: skip
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(statement("dead_letter/bury.sql"), rows)
    return len(rows)


def payload_hash(payload: Any) -> str | None:
    """The same for the same row, in whatever order its keys come, also where only the beginning of it is kept."""
    if payload is None:
        return None
    text = json.dumps(payload, sort_keys=True, separators=(",", ":"), default=str)  # ASCII: any text has such a form
    return sha256(text.encode()).hexdigest()


def _cut(payload: Any) -> str | None:
    """JSON text that PostgreSQL accepts: at most `PAYLOAD_LIMIT` characters, no NUL."""
    if payload is None:
        return None
    text = NUL.sub(r"\1", json.dumps(payload, ensure_ascii=False, default=str))
    if len(text) <= PAYLOAD_LIMIT:
        return text
    return json.dumps({"cut_to": PAYLOAD_LIMIT, "text": text[:PAYLOAD_LIMIT]}, ensure_ascii=False)
