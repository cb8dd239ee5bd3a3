"""A request to erase a person or to hand out what is kept of them: who it is, who asked, what was done."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import psycopg
from psycopg.types.json import Jsonb

from nurture.errors import TerminalError
from nurture.warehouse.statements import statement

Action = Literal["erase", "export"]


@dataclass(frozen=True)
class Named:
    """Who is meant: an identifier as somebody typed it."""

    kind: Literal["crm_id", "person_id"]
    value: str


def read_form(params: Mapping[str, Any]) -> tuple[Action, Named]:
    """What the form of the DAG `privacy_request` says.

    Raises:
        TerminalError: nobody is named, two are, an address is, or the id was not confirmed. The message repeats no input.
    """
    action: Action = "erase" if params.get("action") == "erase" else "export"
    crm_id, person_id, confirm = (str(params.get(name) or "").strip() for name in ("crm_id", "person_id", "confirm"))
    if bool(crm_id) == bool(person_id):
        raise TerminalError("expected one of crm_id and person_id, found " + ("both" if crm_id else "neither"))
    if not re.fullmatch(r"\d{1,20}", crm_id) if crm_id else not re.fullmatch(r"\w{1,64}", person_id):
        raise TerminalError(
            "expected the digits of a CRM id, or an id of marts.person; found something else. Names and addresses do not "
            "belong here: Airflow keeps what is typed into a form. If you typed one, delete this run"
        )
    if action == "erase" and confirm != (crm_id or person_id):
        raise TerminalError("to erase, `confirm` must be the same id once more; found another one, or nothing")
    return action, Named("crm_id", crm_id) if crm_id else Named("person_id", person_id)


def open_request(
    connection: psycopg.Connection, action: Action, named: Named, *, asked_by: str, ticket: str | None, run_id: str
) -> int:
    """Begin a request, or take up the one that a killed run left open; gathers every identifier of the person.

    For an erasure the tombstones are set at once: from the commit on no load brings the person back and no push claims them.

    Raises:
        TerminalError: a person_id that leads to nobody.
    """
    with connection.transaction():
        bound = {"action": action, "kind": named.kind, "value": named.value}
        begun = connection.execute(statement("privacy/open_request.sql"), bound).fetchone()
        request_id: int = begun[0] if begun else _begin(connection, action, named, asked_by, ticket, run_id)
        while connection.execute(statement("privacy/find_ids.sql"), {"request_id": request_id}).rowcount:
            pass
        connection.execute(statement("privacy/find_addresses.sql"), {"request_id": request_id})
        connection.execute(statement("privacy/find_devices.sql"), {"request_id": request_id})
        if action == "erase":
            connection.execute(statement("privacy/bury.sql"), {"request_id": request_id})
        if not begun:  # of one that was taken up, part may be erased already
            note(connection, request_id, identifiers=identifiers(connection, request_id))
    return request_id


def identifiers(connection: psycopg.Connection, request_id: int) -> dict[str, int]:
    """How many identifiers of each kind are known of the person of an open request."""
    rows = connection.execute(
        "SELECT kind, count(*)::int FROM ops.privacy_subject WHERE request_id = %s GROUP BY 1 ORDER BY 1", (request_id,)
    )
    return dict(rows.fetchall())


def crm_ids(connection: psycopg.Connection, request_id: int) -> list[str]:
    """The person's contacts, merged ones included."""
    rows = connection.execute(
        "SELECT value FROM ops.privacy_subject WHERE request_id = %s AND kind = 'crm_id' ORDER BY value", (request_id,)
    )
    return [row[0] for row in rows.fetchall()]


def note(connection: psycopg.Connection, request_id: int, **parts: Any) -> None:
    """Keep counts of what was done in the request's report; the same part is replaced."""
    connection.execute(
        "UPDATE ops.privacy_request SET report = report || %s WHERE request_id = %s", (Jsonb(parts), request_id)
    )


def close_request(connection: psycopg.Connection, request_id: int) -> None:
    """The request is done: the person's identifiers are forgotten with it."""
    connection.execute("DELETE FROM ops.privacy_subject WHERE request_id = %s", (request_id,))
    connection.execute(
        "UPDATE ops.privacy_request SET state = 'done', done_at = clock_timestamp()"
        " WHERE request_id = %s AND state = 'open'",
        (request_id,),
    )


def report(connection: psycopg.Connection, request_id: int) -> dict[str, Any]:
    """What is kept of a request: no personal data."""
    row = connection.execute(
        "SELECT action, state, asked_by, ticket, asked_at, done_at, report FROM ops.privacy_request WHERE request_id = %s",
        (request_id,),
    ).fetchone()
    if row is None:
        raise TerminalError(f"request {request_id}: not in ops.privacy_request; run the DAG again from its first step")
    action, state, asked_by, ticket, asked_at, done_at, parts = row
    return {
        "request_id": request_id, "action": action, "state": state, "asked_by": asked_by, "ticket": ticket,
        "asked_at": asked_at.isoformat(), "done_at": done_at and done_at.isoformat(), **parts,
    }  # fmt: skip


def _begin(
    connection: psycopg.Connection, action: Action, named: Named, asked_by: str, ticket: str | None, run_id: str
) -> int:
    if (
        named.kind == "person_id"
        and not connection.execute("SELECT 1 FROM marts.person WHERE person_id = %s", (named.value,)).fetchone()
    ):
        erased = connection.execute(
            statement("privacy/was_erased.sql"), {"kind": named.kind, "value": named.value}
        ).fetchone()
        raise TerminalError(
            f"this person was erased on {erased[0]:%Y-%m-%d}; nothing is left to do"
            if erased
            else "no person has this id; look it up in marts.person, or give the CRM id: that works for unknown contacts too"
        )
    row = connection.execute(
        "INSERT INTO ops.privacy_request (action, asked_by, ticket, run_id) VALUES (%s, %s, %s, %s) RETURNING request_id",
        (action, asked_by, ticket, run_id),
    ).fetchone()
    assert row is not None
    connection.execute(
        "INSERT INTO ops.privacy_subject (request_id, kind, value) VALUES (%s, %s, %s)", (row[0], named.kind, named.value)
    )
    return int(row[0])
