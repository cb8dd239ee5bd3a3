"""Shows that the schedules of faults notice each guard of the ledger: disarms one after the other, expects a failure.

`python -m tests.faults.disarm [--schedules N] [--seed S]` (`make disarm`, a few minutes). Each guard is taken out in a
copy of the project; then the same schedules run there. Ends with 1 when a guard is missed by all of them.
"""

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
LEDGER, SQL = Path("plugins/nurture/ledger"), Path("include/sql/ledger")


@dataclass(frozen=True)
class Guard:
    """What keeps a message from going out twice, never, or after a withdrawal; `without` stands there when it is gone.

    The lock of an attempt that lives and the token on its rows are not among them: each stands behind the other, and the
    states that a row may come from behind both. tests/crm/test_ledger_rival_attempts.py has tests of each.
    """

    name: str
    path: Path
    code: str
    without: str


GUARDS = [
    Guard("the rows of an attempt that is gone are taken over",
          SQL / "take_over.sql", "state IN ('sent', 'unknown') AND", "state = 'nothing' AND"),
    Guard("a lost answer is unknown, not unsent",
          LEDGER / "batch.py", 'self.attempt.move("unknown", {message.key: str(error) for',
             'self.attempt.move("claimed", {message.key: str(error) for'),
    Guard("what is unknown is read back",
          LEDGER / "settle.py", "return contact.properties.get(MESSAGE_ID) == row.message_id or",
             "return contact is row and"),
    Guard("what may still be on its way is waited for",
          LEDGER / "settle.py", ">= policy.settle_after_seconds:", ">= 0:"),
    Guard("a record that the answer does not name is unknown",
          LEDGER / "batch.py", 'self.attempt.move("unknown", {rows[crm_id].key: "the CRM\'s answer does not name',
             'self.attempt.move("confirmed", {rows[crm_id].key: "the CRM\'s answer does not name'),
    Guard("a batch that is refused for one record is split",
          LEDGER / "batch.py", "if len(rows) == 1:", "if rows:"),
    Guard("consent is read from the CRM right before the write",
          LEDGER / "batch.py", "elif decision.is_allowed:", "elif decision:"),
    Guard("a withdrawal that the warehouse knows counts at the claim",
          SQL / "claim.sql", "WHERE said.denied_at >= coalesce(said.granted_at, '-infinity')", "WHERE false"),
]  # fmt: skip


def what_notices(guard: Guard, *, schedules: int, seed: int) -> str | None:
    """The first schedule after which something did not hold once the guard was gone, or None."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "project"
        for part in ("plugins", "include", "tests/faults", "demo", "sandbox"):
            shutil.copytree(PROJECT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
        text = (copy / guard.path).read_text()
        if text.count(guard.code) != 1:
            raise SystemExit(f"{guard.path}: found {text.count(guard.code)} times, expected once: {guard.code}")
        (copy / guard.path).write_text(text.replace(guard.code, guard.without))
        command = [sys.executable, "-m", "tests.faults", "--seed", str(seed), "--schedules", str(schedules), "--real", "0"]
        environment = {**os.environ, "PYTHONPATH": f"{copy}:{copy / 'plugins'}"}
        run = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True)
    failed = [line for line in run.stdout.splitlines() if line.startswith("schedule ")]
    if run.returncode and not failed:
        raise SystemExit(f"{guard.name}: the schedules could not be run: {run.stderr[-2000:]}")
    return failed[0] if failed else None


def main() -> None:
    """Disarm each in turn, and say what noticed it."""
    words = argparse.ArgumentParser(prog="python -m tests.faults.disarm")
    words.add_argument("--schedules", type=int, default=150)
    words.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    given = words.parse_args()
    print(f"seed {given.seed}", flush=True)
    missed = 0
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        found = pool.map(lambda guard: what_notices(guard, schedules=given.schedules, seed=given.seed), GUARDS)
        for guard, schedule in zip(GUARDS, found, strict=True):
            missed += schedule is None
            print(f"{guard.name:<58} {schedule or 'NOT NOTICED'}", flush=True)
    print(f"{len(GUARDS)} guards taken out, {missed} not noticed")
    sys.exit(bool(missed))


if __name__ == "__main__":
    main()
