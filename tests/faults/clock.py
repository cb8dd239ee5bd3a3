"""Time for simulations: waiting takes none, and the warehouse's clock can jump."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

import psycopg

SCHEMA = """
CREATE SCHEMA faults;
CREATE TABLE faults.clock (ahead interval NOT NULL);
INSERT INTO faults.clock VALUES ('0');
CREATE FUNCTION faults.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE
    RETURN pg_catalog.clock_timestamp() + (SELECT ahead FROM faults.clock);
"""


class SimulatedTime:
    """Stands in for the module `time` in the ledger; the warehouse's clock goes along with it, and may jump besides."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._warehouse = psycopg.connect(url, autocommit=True)
        self._slept = 0.0
        self._lock = threading.Lock()

    def reconnect(self) -> None:
        """After PostgreSQL was restarted."""
        self._warehouse = psycopg.connect(self._url, autocommit=True)

    def install(self, database: str) -> None:
        """From the next session on, statements that say `clock_timestamp()` get the simulated clock."""
        self._warehouse.execute(SCHEMA.encode())
        self._warehouse.execute(f'ALTER DATABASE "{database}" SET search_path = faults, pg_catalog, public'.encode())

    @contextmanager
    def in_place_of_time(self, *modules: ModuleType) -> Iterator[None]:
        """What `modules` call `time` is this, for as long as it lasts."""
        for module in modules:
            module.time = self  # type: ignore[attr-defined]
        try:
            yield
        finally:
            for module in modules:
                module.time = time  # type: ignore[attr-defined]

    def monotonic(self) -> float:
        return time.monotonic() + self._slept

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self._slept += max(seconds, 0)
        self.jump(max(seconds, 0))

    def jump(self, seconds: float) -> None:
        """Set the warehouse's clock forward or back; nothing else moves."""
        self._warehouse.execute("UPDATE faults.clock SET ahead = ahead + make_interval(secs => %s)", (seconds,))

    def close(self) -> None:
        self._warehouse.close()
