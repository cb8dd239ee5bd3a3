"""Processes that outlive the command which started them, and that only their own stop command ends."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Started:
    """A process group that we started: the pid alone could belong to a stranger after a reboot."""

    pid: int
    started_at_tick: int
    boot_id: str

    def is_alive(self) -> bool:
        """Whether the process that we started still runs."""
        return self.boot_id == _boot_id() and _start_tick(self.pid) == self.started_at_tick

    def has_left_children(self) -> bool:
        """Whether it is gone and processes of its group run on; while they do, nobody else can be given its pid."""
        return self.boot_id == _boot_id() and _start_tick(self.pid) is None and _group_is_alive(self.pid)

    def stop(self, seconds: float = 20) -> None:
        """End the whole group: ask first, insist after `seconds`."""
        if not (self.is_alive() or self.has_left_children()):
            return
        for kind, patience in ((signal.SIGTERM, seconds), (signal.SIGKILL, 5.0)):
            with suppress(ProcessLookupError):
                os.killpg(self.pid, kind)
            deadline = time.monotonic() + patience
            while time.monotonic() < deadline:
                if not _group_is_alive(self.pid):
                    return
                time.sleep(0.1)

    def as_dict(self) -> dict[str, int | str]:
        return asdict(self)


def start(command: Sequence[object], *, log: Path, environment: Mapping[str, str], folder: Path) -> Started:
    """Start `command` in a session of its own, with its output in `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            cwd=folder, env=dict(environment), start_new_session=True,
        )  # fmt: skip
    tick = _start_tick(process.pid)
    if tick is None:
        raise RuntimeError(f"{command[0]} ended at once; {log} says why.")
    return Started(process.pid, tick, _boot_id())


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _start_tick(pid: int) -> int | None:
    """When the process started, in clock ticks since boot; None when it is gone or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else int(fields[19])


def _group_is_alive(group: int) -> bool:
    """Whether any process of the group still runs; zombies do not count."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[2]) == group and fields[0] != "Z":
                return True
    return False
