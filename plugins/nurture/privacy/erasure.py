"""Erase the person of a request from every table of the warehouse, in one transaction."""

import psycopg
from psycopg import sql

from nurture.errors import TransientError
from nurture.privacy import schema
from nurture.privacy.columns import Subject, belongs, erased, subject_of
from nurture.privacy.data_map import DataMap, Table
from nurture.privacy.requests import note, report
from nurture.warehouse.statements import statement

LOAD_LOCK = "hubspot.contacts"  # a load of contacts holds it for as long as it runs (nurture.warehouse.crm_contacts)
WAIT = "120s"


def erase(connection: psycopg.Connection, data_map: DataMap, request_id: int) -> dict[str, int]:
    """Delete or pseudonymise the person's rows as the data map says; returns rows by table, where there were any.

    All of it or nothing: a run that was killed is run again. Loads, nights and pushes wait meanwhile, and the rows that
    they were about to write are erased too. A second erasure finds nothing.

    Raises:
        TransientError: a running step did not let go of a table; nothing was erased.
        ConfigError: the data map does not fit the warehouse; nothing was erased.
    """
    columns = schema.read_schema(connection)
    schema.check(data_map, columns)
    rows: dict[str, int] = {}
    try:
        with connection.transaction():
            # First and alone, for it may take long: who waits here holds nothing that others need.
            connection.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (LOAD_LOCK,))
            connection.execute(
                "SELECT set_config('lock_timeout', %s, true), set_config('nurture.privacy', 'on', true)", (WAIT,)
            )
            subject = subject_of(connection, request_id)
            touched = {name: table for name, table in data_map.tables.items() if table.erase in ("delete", "pseudonymise")}
            for name in touched:
                connection.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(_identifier(name)))
            connection.execute(statement("privacy/suppress_messages.sql"), {"request_id": request_id})
            connection.execute(statement("privacy/forget_merges.sql"), {"request_id": request_id})
            for name, table in touched.items():
                change = (
                    _delete(name, table) if table.erase == "delete" else _pseudonymise(subject, name, table, columns[name])
                )
                rows[name] = connection.execute(change, subject.parameters).rowcount
            found = {name: count for name, count in rows.items() if count}
            before = report(connection, request_id).get("rows", {})  # of a request that was taken up: the first time did it
            note(connection, request_id, rows=found | before)
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected) as error:
        raise TransientError(
            f"nothing was erased: a running step did not let go of a table; run the task again: {error.diag.message_primary}"
        ) from None
    return found


def _delete(name: str, table: Table) -> sql.Composed:
    return sql.SQL("DELETE FROM {} WHERE {}").format(_identifier(name), belongs(table, name))


def _pseudonymise(subject: Subject, name: str, table: Table, columns: dict[str, schema.Column]) -> sql.Composed:
    changes = []
    for column, rule in table.columns.items():
        value = erased(subject, column, rule, columns[column].data_type, columns[column].is_nullable)
        if value is not None:
            changes.append(sql.SQL("{} = {}").format(sql.Identifier(column), value))
    return sql.SQL("UPDATE {} SET {} WHERE {}").format(_identifier(name), sql.SQL(", ").join(changes), belongs(table, name))


def _identifier(name: str) -> sql.Identifier:
    return sql.Identifier(*name.split(".", 1))
