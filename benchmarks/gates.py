"""Gates against hand-written SQL: 1 M events of two weeks, 1 M raw events of four days, 200,000 contacts.

`python -m benchmarks.gates` runs both on the same tables in turn, five times each after one warm-up, and prints medians
and their ratio. The gate's time holds everything that a task does (read the check files, Great Expectations, results and
Data Docs written to the warehouse); only the import of Great Expectations is apart, as a process pays it once.
"""

import datetime
import statistics
import time
from collections.abc import Callable

import psycopg
import sqlalchemy

from benchmarks.scratch_warehouse import warehouse
from nurture.policy import load_policy

DAY = datetime.date(2026, 11, 21)
TABLES = ["raw_ga4.events", "staging.events", "staging.contacts"]
ROUNDS = 5

FILL = """
INSERT INTO staging.events (event_day, row_number, event_at, event_name, user_id, user_pseudo_id)
SELECT date '2026-11-21' - number % 14, number, timestamptz '2026-11-21 12:00Z' - number % 14 * interval '1 day',
       'event_' || number % 23, CASE WHEN number % 90000 < 20000 THEN 'u' || number % 90000 END, 'v' || number % 90000
FROM generate_series(1, 1000000) AS number;
INSERT INTO raw_ga4.events (event_day, row_number, event_at, event_name, user_pseudo_id, geo, event_params, user_properties,
                            items, rest)
SELECT date '2026-11-21' - number % 4, number, timestamptz '2026-11-21 12:00Z' - number % 4 * interval '1 day',
       'event_' || number % 23, 'v' || number % 90000, '{"country": "Germany"}',
       '[{"key": "page_location", "value": {"string_value": "https://larkfield.example/"}}]', '[]', '[]', '{}'
FROM generate_series(1, 1000000) AS number;
INSERT INTO staging.contacts (crm_id, email, is_opted_out, modified_at)
SELECT number::text, 'c' || number % 199000 || '@example.com', false, timestamptz '2026-11-01 00:00Z'
FROM generate_series(1, 200000) AS number;
ANALYZE;
"""

# What the entries on columns, types and row counts of the check files ask, as one would write it by hand.
BY_HAND = [
    """
    SELECT count(*), count(event_name), count(event_at), count(user_pseudo_id), count(geo)
    FROM raw_ga4.events WHERE event_day BETWEEN date '2026-11-21' - 3 AND date '2026-11-21'
    """,
    "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = 'raw_ga4' AND table_name = 'events'",
    "SELECT count(*) FROM staging.contacts",
]


def main() -> None:
    """Measure and print."""
    with warehouse() as connection:
        connection.execute(FILL.encode())
        connection.commit()
        _report(connection)


def _report(connection: psycopg.Connection) -> None:
    import_seconds = _seconds(lambda: __import__("nurture.quality.evaluate"))
    gate, plain = _gate(connection), _plain(connection.info)
    gate(), plain()
    times = [(_seconds(gate), _seconds(plain)) for _ in range(ROUNDS)]
    with_gate, by_hand = (statistics.median(column) for column in zip(*times, strict=True))
    print(f"import of Great Expectations, once a process  {import_seconds:6.2f} s")
    print(f"gate on {', '.join(TABLES)}  {with_gate:6.2f} s")
    print(f"the same checks as hand-written SQL  {by_hand:6.2f} s")
    print(f"ratio  {with_gate / by_hand:.2f} (aim ≤ 1.5)")


def _gate(connection: psycopg.Connection) -> Callable[[], object]:
    from nurture.quality.gate import run_gate

    policy = load_policy()
    return lambda: run_gate(
        connection, tables=TABLES, day=DAY, dag_id="bench", run_id="bench", gate="gate_customer_data", policy=policy
    )


def _plain(server: psycopg.ConnectionInfo) -> Callable[[], None]:
    """The statements of the measures as they stand in their files, and `BY_HAND`, with nothing around them."""
    from nurture.quality.checks import read_checks
    from nurture.quality.suite import expectations

    night = {"day": DAY, "dag_id": "bench", "run_id": "bench"}
    built = [item for table in TABLES for item in expectations(read_checks(table), load_policy(), night)]
    measures = [(sqlalchemy.text(item.statement), item.parameters) for item in built if hasattr(item, "statement")]
    engine = sqlalchemy.create_engine(f"postgresql+psycopg2://{server.user}@{server.host}:{server.port}/{server.dbname}")

    def run() -> None:
        with engine.connect() as connection:
            for statement, parameters in measures:
                connection.execute(statement, parameters).all()
            for statement in BY_HAND:
                connection.execute(sqlalchemy.text(statement)).all()

    return run


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
