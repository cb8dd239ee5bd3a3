"""`make bench`: every benchmark, one after the other, printed as ratios."""

import os
import platform
import subprocess
import sys
from pathlib import Path

from benchmarks import (
    audience_policy,
    copy_engine,
    copy_peers,
    copy_scale,
    gates,
    identity_night,
    ledger_cost,
    load_ga4,
    night,
    push_rate,
    repeated_night,
)


def main() -> None:
    model = next((line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), "")
    print(f"machine: {os.cpu_count()} cores, {model.partition(':')[2].strip() or platform.processor()}, "
          f"Python {platform.python_version()}, {platform.system()} {platform.release()}")  # fmt: skip
    every = (
        load_ga4, gates, identity_night, audience_policy, copy_engine, copy_scale, copy_peers, push_rate, ledger_cost,
        repeated_night, night,
    )  # fmt: skip
    for benchmark in every:
        print(f"\n== {benchmark.__name__}: {(benchmark.__doc__ or '').splitlines()[0]}", flush=True)
        # Each in a process of its own: what the demo's modules remember of one would be wrong for the next.
        subprocess.run([sys.executable, "-m", benchmark.__name__], check=True)


if __name__ == "__main__":
    main()
