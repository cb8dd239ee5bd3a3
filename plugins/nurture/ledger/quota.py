"""The CRM's request limits, shared by all runs and workers: who may send the next request, and when.

One row of `ops.request_quota` for each limit of a portal. A caller reserves the next free moment and sleeps until then, so
nobody polls and nobody is overtaken; a 429 that comes all the same holds everyone back.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

import psycopg

from nurture.errors import TransientError
from nurture.policy import Crm
from nurture.warehouse.statements import statement

LONGEST_WAIT_SECONDS = 60.0
"""A longer wait is better spent between two attempts of the task; also the longest pause that a 429 gives to all."""

Bucket = Literal["requests", "searches"]


@dataclass(frozen=True)
class Limit:
    """At most `requests` in any `seconds`, of which `burst` may go at once after an idle time.

    What the burst may use is left out of the steady rate. So the limit holds in every window, not only on average, and while
    all are busy that part is room for requests that the network holds up and delivers together.
    """

    requests: int
    seconds: float
    burst: int

    @property
    def gap_seconds(self) -> float:
        return self.seconds / (self.requests - self.burst)

    @property
    def slack_seconds(self) -> float:
        return (self.burst - 1) * self.gap_seconds


class RequestQuota:
    """The limits of one portal. May be used by several threads; holds one connection, and no lock while anyone waits.

    Args:
        connect: opens a connection to the warehouse for this object alone.
        conn_id: the CRM's Airflow connection, which stands for the portal.
        policy: its limits.
    """

    def __init__(self, connect: Callable[[], psycopg.Connection], *, conn_id: str, policy: Crm) -> None:
        self.conn_id = conn_id
        self.limits: Mapping[Bucket, Limit] = {
            "requests": Limit(policy.requests_per_10_seconds, 10.0, policy.burst),
            "searches": Limit(policy.searches_per_second, 1.0, 1),
        }
        self._connect = connect
        self._connection: psycopg.Connection | None = None
        self._opening = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._connection is not None:
            self._connection.close()

    def take(self, bucket: Bucket) -> None:
        """Wait for the caller's turn; who waited while the vendor refused somebody goes to the end of the line.

        Raises:
            TransientError: the turn is more than a minute away, or the warehouse cannot be asked; nothing was sent.
        """
        while True:
            wait_seconds, refused = self._ask("quota/take_token.sql", bucket, horizon_seconds=2 * LONGEST_WAIT_SECONDS)
            if wait_seconds > LONGEST_WAIT_SECONDS:
                raise TransientError(
                    f"the {bucket} of connection {self.conn_id!r} are held back for {wait_seconds:.0f} s more, for the CRM "
                    "refused some or too many wait; nothing was sent, a later attempt must try"
                )
            if not wait_seconds:
                return
            time.sleep(wait_seconds)
            if self._ask("quota/refused.sql", bucket) == (refused,):
                return

    def pause(self, bucket: Bucket, seconds: float) -> None:
        """The vendor refused a request: hold everyone back for so long, at most a minute."""
        self._ask("quota/pause.sql", bucket, pause_seconds=min(seconds, LONGEST_WAIT_SECONDS))

    def _ask(self, name: str, bucket: Bucket, **more: float) -> tuple[float, ...]:
        limit = self.limits[bucket]
        bound = {
            "conn_id": self.conn_id,
            "bucket": bucket,
            "slack_seconds": limit.slack_seconds,
            "gap_seconds": limit.gap_seconds,
        }
        try:
            row = self._open().execute(statement(name), bound | more).fetchone()
        except psycopg.OperationalError as error:
            raise TransientError(
                f"the request quota of connection {self.conn_id!r} cannot be asked ({type(error).__name__}), so nothing was "
                "sent; see whether the warehouse runs, then run the task again"
            ) from None
        return tuple(row or ())

    def _open(self) -> psycopg.Connection:
        """The connection; each statement is a transaction of its own. One that was lost is opened again."""
        with self._opening:
            if self._connection is None or self._connection.closed:
                self._connection = self._connect()
                self._connection.autocommit = True
            return self._connection
