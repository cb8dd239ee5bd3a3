"""`make faults`: random schedules of faults, and what held after each.

`python -m tests.faults [--schedules N] [--real N] [--seed S] [--only NUMBER]`; the seed is printed. Schedules are the same
for the same seed; which of two concurrent attempts is faster is not.
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg

from demo.postgres import EmbeddedPostgres, free_port
from nurture.warehouse.migrate import migrate
from sandbox.crm.server import running
from tests.faults.clock import SimulatedTime
from tests.faults.real import RealWorld
from tests.faults.report import Report
from tests.faults.schedule import draw
from tests.faults.simulate import Simulation

PER_WAREHOUSE = 200  # schedules; then a new one, so that the last is as fast as the first
PROCESSES = 2


def main() -> int:
    """Run, print, and return 1 when something did not hold."""
    words = argparse.ArgumentParser(prog="python -m tests.faults")
    words.add_argument("--schedules", type=int, default=10_000, help="with a CRM in memory")
    words.add_argument("--real", type=int, default=100, help="with real processes, SIGKILL and the sandbox CRM over HTTP")
    words.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    words.add_argument("--only", type=int, help="run the schedule of this number alone, to look at it")
    given = words.parse_args()
    print(f"seed {given.seed}", flush=True)
    simulated, real = range(given.schedules), range(given.real)
    if given.only is not None:
        simulated, real = (range(given.only, given.only + 1) if given.schedules else range(0)), range(0)
    failed = [
        _tell("in simulation", lambda: _in_parallel(given.seed, simulated)) if simulated else False,
        _tell("with real processes", lambda: play(given.seed, real)) if real else False,
    ]
    return int(any(failed))


def _tell(how: str, run: Callable[[], Report]) -> bool:
    started = time.monotonic()
    report = run()
    print(f"{report.schedules} schedules {how}, {time.monotonic() - started:.0f} s")
    print("\n".join(report.lines()), flush=True)
    return bool(report.failures)


def _in_parallel(seed: int, numbers: range) -> Report:
    """Run them, a few hundred in one warehouse, and say after each of these what came of all so far."""
    total = Report()
    parts = [numbers[start : start + PER_WAREHOUSE] for start in range(0, len(numbers), PER_WAREHOUSE)]
    with ProcessPoolExecutor(PROCESSES) as pool:
        for part in pool.map(simulate, [seed] * len(parts), parts):
            total.add(part)
            print(f"{total.schedules} schedules, of which {len(total.failures)} failed", flush=True)
    return total


def simulate(seed: int, numbers: range) -> Report:
    """Run schedules in simulation, in one warehouse of their own."""
    report = Report()
    with _server() as server:
        server.create_database("faults", template="migrated")
        clock = SimulatedTime(server.url("faults"))
        clock.install("faults")

        def restart() -> None:
            server.stop()
            server.start()
            clock.reconnect()

        simulation = Simulation(server.url("faults"), seed, clock, restart)
        for number in numbers:
            outcome = simulation.run(draw(seed, number))
            report.note(f"schedule {number} of seed {seed}", outcome.verdict, outcome.happened)
        clock.close()
    return report


def play(seed: int, numbers: range) -> Report:
    """Run schedules with real processes, against a PostgreSQL server and a sandbox CRM of their own."""
    report = Report()
    with _server() as server, _server() as crm_server:
        crm_server.create_database("crm")
        server.create_database("real", template="migrated")

        def restart() -> None:
            server.stop()
            server.start()

        with running(crm_server.url("crm")) as crm:
            world = RealWorld(server.url("real"), crm, seed, restart)
            for number in numbers:
                verdict, happened = world.run(draw(seed, number))
                report.note(f"real schedule {number} of seed {seed}", verdict, happened)
    return report


@contextmanager
def _server() -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL server with a migrated warehouse as a template, in memory where there is room."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="nurture-faults-", dir=memory if memory.is_dir() else None))
    folder.chmod(0o755)
    server = EmbeddedPostgres(folder / "data", free_port(), is_durable=False)
    try:
        server.start()
        server.create_database("migrated")
        with psycopg.connect(server.url("migrated")) as connection:
            migrate(connection)
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
