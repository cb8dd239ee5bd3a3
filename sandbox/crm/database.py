"""The store: PostgreSQL, schema `crm`; SQL statements live in `sql/`, one a file."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

SQL_FOLDER = Path(__file__).parent / "sql"
CONNECTIONS = 8

Connection = psycopg.AsyncConnection[dict[str, Any]]


@cache
def statement(name: str) -> bytes:
    """The text of `sql/<name>.sql`."""
    return (SQL_FOLDER / f"{name}.sql").read_bytes()


async def write_alone(connection: Connection) -> None:
    """Wait for other writers of contacts to commit: no two find one address free, and none wait for each other's rows."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtext('crm.contacts'))")


class Database:
    """A handful of connections, opened when first needed and used again."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._idle: list[Connection] = []
        self._free = asyncio.Semaphore(CONNECTIONS)

    async def create_schema(self) -> None:
        """Create what is absent; several servers may start at once."""
        async with self.transaction() as connection:
            await connection.execute("SELECT pg_advisory_xact_lock(hashtext('crm.schema'))")
            await connection.execute(statement("schema"))

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A connection inside a transaction: committed at the end, rolled back on an exception."""
        async with self._free:
            connection = await self._take()
            try:
                async with connection.transaction():
                    yield connection
            finally:
                if connection.broken or connection.closed:
                    await connection.close()
                else:
                    self._idle.append(connection)

    async def close(self) -> None:
        while self._idle:
            await self._idle.pop().close()

    async def _take(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            try:
                await connection.execute("")  # the database may have been restarted since
            except psycopg.OperationalError:
                await connection.close()
            else:
                return connection
        return await self._connect()

    async def _connect(self) -> Connection:
        return await psycopg.AsyncConnection.connect(
            self._url, autocommit=True, row_factory=dict_row, application_name="sandbox crm"
        )
