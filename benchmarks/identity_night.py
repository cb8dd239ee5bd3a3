"""Who is who after 10,000 changes, against looking at all 1,000,000 people, in one run on the same tables.

`python -m benchmarks.identity_night [PEOPLE]` fills a warehouse, resolves everybody once (a first load), then runs in turn
a night of changes (8,000 contacts changed, of them 1,000 into a shared address; 1,000 new; 1,000 swallowed by another; four
days of events read again) and a night for which every contact is noted as changed. Three rounds, medians, their ratio, and
where the time went.
"""

import statistics
import sys
import time
from collections import defaultdict
from datetime import date, timedelta

import psycopg

from benchmarks.scratch_warehouse import warehouse
from nurture.identity.resolve import RESOLVE_PEOPLE
from nurture.warehouse.statements import statement

DAY = date(2026, 11, 20)
PEOPLE = 1_000_000
CHANGED, NEW, SWALLOWED, SHARED = 8_000, 1_000, 1_000, 1_000
ROUNDS = 3

# A third of the people has a user_id and logs in; 60 days of events, most of them anonymous.
FILL = """
INSERT INTO raw_hubspot.contacts (crm_id, email, site_user_id, created_at, modified_at, properties)
SELECT n::text, 'c' || n || '@example.com', CASE WHEN n % 3 = 0 THEN 'u' || n END, '2026-01-01Z', '2026-11-01Z', '{}'
FROM generate_series(1, %(people)s) AS n;
INSERT INTO staging.contacts (crm_id, email, site_user_id, region, consent_status, is_opted_out, modified_at)
SELECT crm_id, email, site_user_id, 'DE', 'granted', false, modified_at FROM raw_hubspot.contacts;
INSERT INTO staging.events (event_day, row_number, event_at, event_name, user_id, user_pseudo_id)
SELECT date '2026-11-20' - n %% 60, n, timestamptz '2026-11-20 12:00Z' - n %% 60 * interval '1 day', 'page_view',
       CASE WHEN n %% 7 = 0 THEN 'u' || 3 * (n %% (%(people)s / 3)) END, 'v' || n %% (%(people)s / 3)
FROM generate_series(1, %(people)s) AS n;
ANALYZE;
"""

# What a load leaves behind; `step` makes each round change others.
NIGHT = """
UPDATE staging.contacts SET email = 'new' || crm_id || '_' || %(step)s || '@example.com', modified_at = now()
WHERE crm_id::int %% %(every)s = %(step)s AND crm_id::int <= %(people)s;
UPDATE staging.contacts SET email = 'c' || crm_id::int - 1 || '@example.com'
WHERE crm_id IN (
    SELECT crm_id FROM staging.contacts WHERE crm_id::int %% %(every)s = %(step)s ORDER BY crm_id LIMIT %(shared)s);
INSERT INTO raw_hubspot.contacts (crm_id, email, modified_at, properties)
SELECT n::text, 'c' || n || '@example.com', now(), '{}'
FROM generate_series(%(people)s + %(step)s * %(new)s + 1, %(people)s + (%(step)s + 1) * %(new)s) AS n;
INSERT INTO staging.contacts (crm_id, email, is_opted_out, modified_at)
SELECT n::text, 'c' || n || '@example.com', false, now()
FROM generate_series(%(people)s + %(step)s * %(new)s + 1, %(people)s + (%(step)s + 1) * %(new)s) AS n;
UPDATE raw_hubspot.contacts SET merged_ids = merged_ids || (crm_id::int + 1)::text
WHERE crm_id IN (SELECT (n * %(apart)s + 20 + %(step)s * 2)::text FROM generate_series(1, %(swallowed)s) AS n);
UPDATE raw_hubspot.contacts SET merged_into = (crm_id::int - 1)::text
WHERE crm_id IN (SELECT (n * %(apart)s + 21 + %(step)s * 2)::text FROM generate_series(1, %(swallowed)s) AS n);
DELETE FROM staging.contacts
WHERE crm_id IN (SELECT (n * %(apart)s + 21 + %(step)s * 2)::text FROM generate_series(1, %(swallowed)s) AS n);
"""

EVERYBODY = "INSERT INTO marts.contact_change (crm_id) SELECT crm_id FROM raw_hubspot.contacts"


def main() -> None:
    """Measure and print."""
    people = int(sys.argv[1]) if len(sys.argv) > 1 else PEOPLE
    with warehouse() as connection:
        _report(connection, people)


def _report(connection: psycopg.Connection, people: int) -> None:
    # Client-side binding: a filling has several statements.
    filling = psycopg.ClientCursor(connection)
    filling.execute(FILL.replace("n % 3", "n %% 3").encode(), {"people": people})
    connection.commit()
    spent: dict[str, dict[str, float]] = {way: defaultdict(float) for way in ("first", "night", "everybody")}
    first = _resolve(connection, 29, spent["first"])
    connection.execute("ANALYZE")
    connection.commit()
    print(f"first load of {people:,} people  {first:7.2f} s")
    changed = max(1, min(CHANGED, people // 100))
    values = {
        "people": people, "every": people // changed, "new": min(NEW, changed), "shared": min(SHARED, changed),
        "swallowed": min(SWALLOWED, changed), "apart": people // min(SWALLOWED, changed) - 1,
    }  # fmt: skip
    times = []
    for step in range(ROUNDS):
        filling.execute(NIGHT.encode(), values | {"step": step})
        connection.commit()
        night = _resolve(connection, 3, spent["night"])
        connection.execute(EVERYBODY)
        connection.execute("DELETE FROM marts.linked_day")
        connection.commit()
        times.append((night, _resolve(connection, 29, spent["everybody"])))
    night, everybody = (statistics.median(column) for column in zip(*times, strict=True))
    for name in dict.fromkeys(RESOLVE_PEOPLE):
        in_night, in_all = (spent[way][name] / ROUNDS for way in ("night", "everybody"))
        print(f"  {name:34} first {spent['first'][name]:7.2f} s, night {in_night:7.2f} s, everybody {in_all:7.2f} s")
    print(f"night of {changed + values['new'] + values['swallowed']:,} changes  {night:7.2f} s")
    print(f"everybody looked at      {everybody:7.2f} s")
    print(f"a night takes {night / everybody:.3f} of a full rebuild, {everybody / night:.0f} times less")


def _resolve(connection: psycopg.Connection, days_back: int, spent: dict[str, float]) -> float:
    days = {"first_day": DAY - timedelta(days=days_back), "day": DAY}
    began = time.perf_counter()
    for name in RESOLVE_PEOPLE:
        started = time.perf_counter()
        connection.execute(statement(name), days)
        spent[name] += time.perf_counter() - started
    connection.commit()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
