"""Shows that the gates' tests notice each check: disarms one after the other and expects a red test.

`make disarm` (a few minutes). Each check gets a limit that no figure can pass, in a copy of `include/`; then the
tests of the gates run. Ends with 1 when a check is missed by all of them.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml

PROJECT = Path(__file__).resolve().parents[1]
CHECKS = Path("checks")
NO_LIMIT = 1_000_000_000
OF_FILES = {"test_quality_checks.py"}  # how check files are read: a file that is merely wrong would count as noticed


def checks() -> list[tuple[str, str]]:
    """File name and name of every check."""
    files = sorted((PROJECT / "include" / CHECKS).glob("*.yaml"))
    return [(path.name, check["name"]) for path in files for check in yaml.safe_load(path.read_text())["checks"]]


def first_test_to_notice(file: str, name: str) -> str | None:
    """The first test that fails once the check cannot fail any more, or None."""
    with tempfile.TemporaryDirectory() as folder:
        include = Path(folder) / "include"
        shutil.copytree(PROJECT / "include", include)
        path = include / CHECKS / file
        content = yaml.safe_load(path.read_text())
        for check in content["checks"]:
            if check["name"] == name:
                is_row_count = check["expectation"] == "ExpectTableRowCountToBeBetween"
                check["threshold"] = 0 if is_row_count else NO_LIMIT
        path.write_text(yaml.safe_dump(content))
        command = [sys.executable, "-m", "pytest", "-x", "-p", "no:cacheprovider", "-m", "not airflow and not emulator"]
        tests = [str(test) for test in sorted((PROJECT / "tests").glob("test_quality_*.py")) if test.name not in OF_FILES]
        environment = {**os.environ, "NURTURE_INCLUDE": str(include)}
        run = subprocess.run([*command, *tests], cwd=PROJECT, env=environment, capture_output=True, text=True)
    failed = [line for line in run.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return failed[0].split("::", 1)[1].split(" - ")[0] if failed else None


def main() -> None:
    missed = 0
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        noticed = pool.map(lambda check: (*check, first_test_to_notice(*check)), checks())
        for _, name, test in noticed:
            missed += test is None
            print(f"{name:<34} {test or 'NOT NOTICED'}", flush=True)
    print(f"{len(checks())} checks disarmed, {missed} not noticed")
    sys.exit(bool(missed))


if __name__ == "__main__":
    main()
