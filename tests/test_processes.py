"""`make stop` ends what `make demo` started, and only that."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from demo.processes import Started, start

PARENT_OF_TWO = (
    "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); time.sleep(60)"
)


def _start(folder: Path) -> Started:
    started = start([sys.executable, "-c", PARENT_OF_TWO], log=folder / "log", environment=os.environ, folder=folder)
    deadline = time.monotonic() + 10
    while len(_group(started.pid)) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    return started


def _group(group: int) -> list[str]:
    listed = subprocess.run(["ps", "-eo", "pgid=,stat="], capture_output=True, text=True, check=True).stdout.splitlines()
    return [line for line in listed if int(line.split()[0]) == group and not line.split()[1].startswith("Z")]


def test_the_whole_group_ends_and_a_stranger_lives_on(tmp_path: Path) -> None:
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    started = _start(tmp_path)

    started.stop()

    assert _group(started.pid) == [] and not started.is_alive()
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_children_of_a_process_that_was_killed_are_ended_too(tmp_path: Path) -> None:
    started = _start(tmp_path)
    os.kill(started.pid, signal.SIGKILL)
    os.waitpid(started.pid, 0)
    assert started.has_left_children() and not started.is_alive()

    started.stop()

    assert _group(started.pid) == []


def test_a_pid_that_now_belongs_to_someone_else_is_left_alone(tmp_path: Path) -> None:
    started = _start(tmp_path)

    replace(started, started_at_tick=started.started_at_tick - 1).stop()
    replace(started, boot_id="of an earlier boot").stop()

    assert started.is_alive()
    started.stop()
