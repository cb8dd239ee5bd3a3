"""Hand out what is kept of a person: one JSON document, by table."""

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Json

from nurture.privacy.columns import Identifier, Subject, belongs, subject_of
from nurture.privacy.data_map import DataMap
from nurture.privacy.requests import close_request, note


def export(
    connection: psycopg.Connection, data_map: DataMap, request_id: int, *, crm: Mapping[str, Mapping[str, str | None]]
) -> dict[str, int]:
    """Keep the document in `ops.privacy_export` and close the request; returns rows by table, where there are any.

    Args:
        crm: what the CRM says of the person's contacts right now, by CRM id.
    """
    subject = _with_hashes(subject_of(connection, request_id))
    tables: dict[str, list[Any]] = {}
    with connection.transaction():
        for name, table in data_map.tables.items():
            if table.export and table.columns:
                query = sql.SQL("SELECT to_jsonb(kept) FROM {} AS kept WHERE {}").format(
                    sql.Identifier(*name.split(".", 1)), belongs(table, name)
                )
                if found := [row[0] for row in connection.execute(query, subject.parameters)]:
                    tables[name] = found
        ids = {kind: [each.value for each in subject.identifiers if each.kind == kind] for kind in ("person_id", "crm_id")}
        document = {
            "identifiers": {kind: [each.value for each in subject.identifiers if each.kind == kind]
                            for kind in dict.fromkeys(each.kind for each in subject.identifiers)},
            "crm": crm,
            "warehouse": tables,
        }  # fmt: skip
        connection.execute(
            """
            INSERT INTO ops.privacy_export (request_id, person_id, crm_id, document) VALUES (%s, %s, %s, %s)
            ON CONFLICT (request_id) DO UPDATE SET document = excluded.document, made_at = excluded.made_at
            """,
            (request_id, next(iter(ids["person_id"]), None), next(iter(ids["crm_id"]), None), Json(document)),
        )
        rows = {name: len(kept) for name, kept in tables.items()}
        note(connection, request_id, rows=rows, crm={"contacts": len(crm)})
        close_request(connection, request_id)
    return rows


def _with_hashes(subject: Subject) -> Subject:
    """The person also by the SHA-256 of their addresses, which is all that `ops.suppression` knows of an address."""
    hashes = [
        Identifier("email_sha256", sha256(each.value.encode()).hexdigest(), each.replacement)
        for each in subject.identifiers
        if each.kind == "email"
    ]
    return replace(subject, identifiers=[*subject.identifiers, *hashes])
