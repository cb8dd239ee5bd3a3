"""A process that can end at any boundary: the begin or end of a statement, of a request, of a claim."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import psycopg

ATTEMPT = "attempt"  # application name of its sessions
MOMENTS = count(1)  # one order of everything that happens in a schedule, over all attempts


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it, and the database sessions end with it."""


@dataclass
class Life:
    """What one attempt lives through; shared by its threads.

    Attributes:
        at: what happens at which boundary, by its number.
        boundaries: how many were passed.
        is_over: it was killed; no thread of it passes another boundary.
    """

    at: dict[int, Callable[["Life"], None]] = field(default_factory=dict)
    boundaries: int = 0
    is_over: bool = False
    names: list[str] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    claims: dict[int, int] = field(default_factory=dict)

    def boundary(self, name: str) -> None:
        """Pass one, unless it is the last.

        Raises:
            Killed: it is.
        """
        with self.lock:
            if self.is_over:
                raise Killed
            self.boundaries += 1
            happening = self.at.get(self.boundaries)
            if happening:
                self.names.append(name)
                happening(self)
            if self.is_over:
                raise Killed

    def moment(self) -> int:
        return next(MOMENTS)

    def claims_now(self) -> None:
        self.claims[threading.get_ident()] = self.moment()

    @property
    def claimed_at(self) -> int:
        """When the thread that asks claimed last."""
        return self.claims.get(threading.get_ident(), 0)


def connect(url: str, life: Life) -> psycopg.Connection:
    """A connection whose statements are boundaries of `life`; it is closed when the life ends."""

    class MortalCursor(psycopg.Cursor[Any]):
        def execute(self, query: Any, *args: Any, **kwargs: Any) -> Any:
            if life.is_over:
                self.connection.close()
            life.boundary("statement")
            if "INSERT INTO ops.push_ledger" in str(query):
                life.claims_now()
            done = super().execute(query, *args, **kwargs)
            life.boundary("was executed")
            return done

    return psycopg.connect(url, cursor_factory=MortalCursor, application_name=ATTEMPT)
