"""Write a synthetic world to files, to look at it."""

import argparse
import gzip
import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sandbox.world.generate import BREAKAGES, generate


def main() -> None:
    """Command line: `python -m sandbox.world --people 500 --events out.ndjson.gz --contacts out.json`."""
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    parser = argparse.ArgumentParser(prog="python -m sandbox.world", description=__doc__)
    parser.add_argument("--people", type=int, default=500)
    parser.add_argument("--days", type=int, default=14)
    parser.add_argument("--last-day", type=date.fromisoformat, default=yesterday, help="UTC; yesterday when left out")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--break", dest="breakage", action="append", default=[], choices=[*BREAKAGES, "duplicate_contacts"])
    parser.add_argument("--events", type=Path, help="GA4 rows as gzipped NDJSON")
    parser.add_argument("--contacts", type=Path, help="CRM contacts and the pairs to merge as JSON")
    given = parser.parse_args()
    world = generate(
        people=given.people, days=given.days, last_day=given.last_day, seed=given.seed, breakage=given.breakage
    )  # fmt: skip
    names: Counter[str] = Counter()
    with gzip.open(given.events or "/dev/null", "wt", encoding="utf-8", compresslevel=5) as file:
        for row in world.all_events():
            names[str(row["event_name"])] += 1
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    if given.contacts:
        content = {"synthetic": True, "contacts": [c.as_seed() for c in world.contacts], "merges": world.merges}
        given.contacts.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
    print(f"Synthetic world, seed {given.seed}: {len(world.people)} people, {len(world.contacts)} contacts,")
    print(f"{names.total()} GA4 rows from {world.days[0]} to {world.days[-1]}: {dict(names.most_common())}")


if __name__ == "__main__":
    main()
