"""`make bench`: every benchmark, one after the other, printed as ratios."""

import os
import platform
from pathlib import Path

from benchmarks import gates, load_ga4, night


def main() -> None:
    model = next((line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), "")
    print(f"machine: {os.cpu_count()} cores, {model.partition(':')[2].strip() or platform.processor()}, "
          f"Python {platform.python_version()}, {platform.system()} {platform.release()}")  # fmt: skip
    for name, benchmark in (("load", load_ga4), ("gates", gates), ("night", night)):
        print(f"\n== {name}: {(benchmark.__doc__ or '').splitlines()[0]}", flush=True)
        benchmark.main()


if __name__ == "__main__":
    main()
