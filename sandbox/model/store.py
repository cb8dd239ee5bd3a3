"""Every request to the model, kept in PostgreSQL so that tests can search the prompts for personal data."""

import asyncio
from typing import Any

import psycopg
from psycopg.rows import dict_row

DDL = """
SELECT pg_advisory_xact_lock(7262002);
CREATE SCHEMA IF NOT EXISTS model;
CREATE TABLE IF NOT EXISTS model.requests (
    request_id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    requested_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    model             text,
    prompt            text NOT NULL,          -- all messages, as sent
    answer            text,                   -- the text sent back; NULL when none was
    status            integer NOT NULL,       -- HTTP status; 0 = the connection was closed on purpose
    misbehaviour      text,                   -- which admin rules struck, by name
    prompt_tokens     integer NOT NULL,
    completion_tokens integer NOT NULL
);
"""


class RequestStore:
    """One asynchronous connection; its statements queue up behind one another."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url
        self._connection: psycopg.AsyncConnection[dict[str, Any]] | None = None
        self._opening = asyncio.Lock()

    async def open(self) -> psycopg.AsyncConnection[dict[str, Any]]:
        """The connection, made (with the schema) at first use and again after the server went away."""
        async with self._opening:
            if self._connection is None or self._connection.closed:
                self._connection = await psycopg.AsyncConnection.connect(self._url, autocommit=True, row_factory=dict_row)
                async with self._connection.transaction():
                    await self._connection.execute(DDL)
            return self._connection

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()

    async def record(self, **row: Any) -> None:
        """Keep one request; the columns are those of `model.requests`."""
        connection = await self.open()
        values = {key: value.replace("\x00", "") if isinstance(value, str) else value for key, value in row.items()}
        await connection.execute(
            "INSERT INTO model.requests (model, prompt, answer, status, misbehaviour, prompt_tokens, completion_tokens)"
            " VALUES (%(model)s, %(prompt)s, %(answer)s, %(status)s, %(misbehaviour)s, %(prompt_tokens)s,"
            " %(completion_tokens)s)",
            values,
        )

    async def summary(self, limit: int) -> dict[str, Any]:
        """Counts over everything kept, and the latest `limit` requests, oldest first."""
        connection = await self.open()
        cursor = await connection.execute("SELECT status, count(*) AS n FROM model.requests GROUP BY status ORDER BY status")
        by_status = {str(row["status"]): row["n"] for row in await cursor.fetchall()}
        cursor = await connection.execute("SELECT * FROM model.requests ORDER BY request_id DESC LIMIT %s", (limit,))
        return {"count": sum(by_status.values()), "by_status": by_status, "requests": (await cursor.fetchall())[::-1]}

    async def forget(self) -> None:
        connection = await self.open()
        await connection.execute("TRUNCATE model.requests")
