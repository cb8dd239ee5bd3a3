"""Rows that could not be used, kept where they can be seen and tried again."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import psycopg

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
    """Keep `letters`; one that was met before counts an attempt more. Returns how many were given."""
    rows = [(x.source, x.key, x.field, x.reason, _cut(x.payload), dag_id, run_id) for x in letters]
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(
                """
                INSERT INTO ops.dead_letter (source, key, field, reason, payload, dag_id, run_id)
                VALUES (%s, %s, %s, %s, %s::jsonb, %s, %s)
                ON CONFLICT (source, key, field) DO UPDATE SET
                    reason = excluded.reason, payload = excluded.payload,
                    dag_id = excluded.dag_id, run_id = excluded.run_id,
                    attempts = ops.dead_letter.attempts + 1, last_seen_at = clock_timestamp(), resolved_at = NULL
                """,
                rows,
            )
    return len(rows)


def _cut(payload: Any) -> str | None:
    """JSON text that PostgreSQL accepts: at most `PAYLOAD_LIMIT` characters, no NUL."""
    if payload is None:
        return None
    text = NUL.sub(r"\1", json.dumps(payload, ensure_ascii=False, default=str))
    if len(text) <= PAYLOAD_LIMIT:
        return text
    return json.dumps({"cut_to": PAYLOAD_LIMIT, "text": text[:PAYLOAD_LIMIT]}, ensure_ascii=False)
