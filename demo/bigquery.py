"""The BigQuery emulator (`bqemulator`) as a process of its own on 127.0.0.1: stands in for the GA4 export, offline.

It lives in its own virtual environment, because it cannot share Airflow's FastAPI and protobuf. Tables are kept
in `<folder>/data` and survive a restart; DuckDB's extension is put into `<folder>/home`, so that nothing of the
user's own home is touched and nothing is downloaded.
"""

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from demo import processes
from demo.postgres import free_port

VENV = Path(__file__).resolve().parents[1] / ".venv-bigquery"
PROJECT_ID = "nurture-sandbox"
START_SECONDS = 120

FIND_EXTENSION = """
import json, pathlib, duckdb, duckdb_extension_spatial as package
folder = pathlib.Path(package.__path__[0]) / "extensions" / f"v{duckdb.__version__}"
place = f"v{duckdb.__version__}/" + duckdb.sql("PRAGMA platform").fetchone()[0]
print(json.dumps([str(folder / "spatial.duckdb_extension"), place]))
"""


@dataclass
class BigQueryEmulator:
    """One emulator with its state in `folder`; REST and gRPC (Storage Read) on two ports of 127.0.0.1."""

    folder: Path
    rest_port: int
    grpc_port: int
    project: str = PROJECT_ID

    @property
    def rest_url(self) -> str:
        """What `BIGQUERY_EMULATOR_HOST` must be."""
        return f"http://127.0.0.1:{self.rest_port}"

    @property
    def grpc_endpoint(self) -> str:
        """What `storage_endpoint` in the extra of the connection `ga4` must be."""
        return f"127.0.0.1:{self.grpc_port}"

    def airflow_connection(self, dataset: str) -> str:
        """The value of `AIRFLOW_CONN_GA4` for the export in `dataset`."""
        extra = {"project": self.project, "dataset": dataset, "storage_endpoint": self.grpc_endpoint, "is_anonymous": True}
        return json.dumps({"conn_type": "google_cloud_platform", "extra": extra})

    def start(self) -> None:
        """Start the emulator and wait until both ports answer; one that runs already is left alone.

        Raises:
            RuntimeError: it is not installed, it ended, or it did not answer in time.
        """
        if self.is_running():
            return
        home = self.folder / "home"
        _put_extension(home)
        command = [
            VENV / "bin" / "python", "-m", "bqemulator", "start", "--persistent", "--data-dir", self.folder / "data",
            "--rest-host", "127.0.0.1", "--rest-port", self.rest_port,
            "--grpc-host", "127.0.0.1", "--grpc-port", self.grpc_port,
            "--project", self.project, "--log-level", "warning",
        ]  # fmt: skip
        environment = {name: value for name, value in os.environ.items() if not name.startswith("BQEMU_")} | {
            "HOME": str(home),
            "BQEMU_ENABLE_FORMAT_EXTENSIONS": "false",  # Avro would be downloaded
            "BQEMU_TIME_TRAVEL_RETENTION_DAYS": "0",  # it copies every table on every load; drop the copies soon
            "BQEMU_WRITE_API_MAX_REQUEST_BYTES": str(1 << 30),  # also caps an answer of Storage Read: 64k rows at once
            "BQEMU_UPLOAD_STAGING_DIR": str(self.folder / "uploads"),
        }
        started = processes.start(command, log=self._log, environment=environment, folder=self.folder)
        self._process_file.write_text(json.dumps(started.as_dict()))
        try:
            self._wait_until_ready(started)
        except BaseException:
            self.stop()
            raise

    def is_running(self) -> bool:
        started = self._started()
        return started is not None and started.is_alive()

    def stop(self) -> None:
        """End the emulator; one that does not run is left alone."""
        if started := self._started():
            started.stop()
        self._process_file.unlink(missing_ok=True)

    @property
    def _log(self) -> Path:
        return self.folder / "emulator.log"

    @property
    def _process_file(self) -> Path:
        return self.folder / "emulator.json"

    def _started(self) -> processes.Started | None:
        if not self._process_file.exists():
            return None
        return processes.Started(**json.loads(self._process_file.read_text()))

    def _wait_until_ready(self, started: processes.Started) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if not started.is_alive() or time.monotonic() > deadline:
                said = self._log.read_text(errors="replace")[-2000:].strip()
                what = "did not answer in time" if started.is_alive() else "ended"
                raise RuntimeError(f"The BigQuery emulator {what}; {self._log} ends with:\n{said}")
            time.sleep(0.1)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.rest_url}/readyz", timeout=5):  # noqa: S310  our own http:// address
                pass
            with socket.create_connection(("127.0.0.1", self.grpc_port), timeout=5):
                return True
        except (urllib.error.URLError, OSError):
            return False


@contextmanager
def running(folder: Path) -> Iterator[BigQueryEmulator]:
    """An emulator on free ports with its state in `folder`, ended on leaving."""
    emulator = BigQueryEmulator(folder, free_port(), free_port())
    emulator.start()
    try:
        yield emulator
    finally:
        emulator.stop()


def _put_extension(home: Path) -> None:
    """Copy DuckDB's spatial extension from its wheel to where DuckDB looks for it when `HOME` is `home`."""
    python = VENV / "bin" / "python"
    if not python.exists():
        raise RuntimeError(f"{python} not found: the BigQuery emulator is not installed. Run `make install`.")
    found = subprocess.run([python, "-c", FIND_EXTENSION], capture_output=True, text=True, check=False)
    if found.returncode != 0:
        raise RuntimeError(f"{VENV} is incomplete, run `make install`: {found.stderr.strip()}")
    source, place = json.loads(found.stdout)
    target = home / ".duckdb" / "extensions" / place / "spatial.duckdb_extension"
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        shutil.copyfile(source, target)
